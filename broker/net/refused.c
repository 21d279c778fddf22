/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refused.c - datagrams that stay in the dead end, for the record.
 *
 * Nothing has to be done to refuse a datagram: it was sent where nothing leaves. So
 * that the report and `nono why` know of it all the same, a packet socket in the dead
 * end shows the heads of datagrams; those that no rule allows are recorded. Questions to name
 * servers, loopback, multicast and what the broker itself sends there are left out. A program that sends
 * thousands is noted as often as the socket's buffer holds, not delayed.
 */
#include "net/internal.h"
#include "explain/explain.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define SEEN_BYTES 128U /* of a packet: enough for the longest head */
#define DNS_PORT 53U
#define AT_ONCE 1024U

/* UDP that arrives (each packet is seen leaving, too), not from or to port 53, not to 127.0.0.0/8. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 19, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
	BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 8),
	/* IPv4 */
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 14),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* a later fragment has no ports */
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 12, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 16),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 127, 10, 0),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	BPF_STMT(BPF_JMP | BPF_JA, 3),
	/* IPv6 */
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
	BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 40),
	/* ports */
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DNS_PORT, 3, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DNS_PORT, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SEEN_BYTES),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

int refused_socket(void)
{
	const struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = (struct sock_filter *)filter};
	/* nothing arrives before it is bound to a protocol */
	cleanup_fd int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
		bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
		return -errno;
	return steal_fd(&fd);
}

/** struct head - who sent a datagram to whom. */
struct head {
	struct host_addr from, to;
	unsigned from_port, to_port;
};

static bool read_head(const uint8_t *p, size_t n, struct head *h)
{
	bool v6 = n && p[0] >> 4 == 6;
	size_t size = v6 ? 40 : n ? (size_t)(p[0] & 0xf) * 4 : 0;
	if (size < 20 || n < size + 4)
		return false;
	*h = (struct head){.from.len = v6 ? 16 : 4, .to.len = v6 ? 16 : 4};
	memcpy(h->from.b, p + (v6 ? 8 : 12), h->from.len);
	memcpy(h->to.b, p + (v6 ? 24 : 16), h->to.len);
	h->from_port = (unsigned)p[size] << 8 | p[size + 1];
	h->to_port = (unsigned)p[size + 2] << 8 | p[size + 3];
	return true;
}

/* Multicast and broadcast: programs look for each other with it, and no rule can mean it. */
static bool to_many(const struct host_addr *a)
{
	return a->len == 4 ? a->b[0] >= 224 : a->b[0] == 0xff;
}

static struct decision decide(struct net *n, const struct host_addr *a, unsigned port, char *host)
{
	struct host_addr real;
	if (!names_find(n->names, a, host, &real))
		host_addr_text(a, host);
	return policy_check_host(n->cfg.policy, OP_CONNECT, host, port, true);
}

static void note(struct net *n, const struct head *h)
{
	char host[254];
	if (host_addr_loopback(&h->to) || to_many(&h->to) ||
		decide(n, &h->from, h->from_port, host).verdict == VERDICT_ALLOW) /* an answer that was carried */
		return;
	const struct decision d = decide(n, &h->to, h->to_port, host);
	if (d.verdict == VERDICT_ALLOW)
		return;
	const struct denial x = {.op = OP_CONNECT,
		.asked = host,
		.resolved = host,
		.port = h->to_port,
		.udp = true,
		.decision = d,
		.answer = "not asked"};
	explain_denial(n->cfg.explain, &x);
}

void refused_note(struct net *n)
{
	uint8_t packet[SEEN_BYTES];
	struct head h;
	ssize_t len;
	for (unsigned i = 0; i < AT_ONCE && n->refused >= 0; i++) {
		len = recv(n->refused, packet, sizeof(packet), MSG_DONTWAIT);
		if (len < 0)
			return;
		if (n->cfg.explain && read_head(packet, (size_t)len, &h))
			note(n, &h);
	}
}
