/* SPDX-License-Identifier: Apache-2.0 */
/* packet.c - datagrams in the dead end, where one socket stands for every address: answers come from the address asked.
 */
#include "net/internal.h"

bool packet_read(struct packet *p, int fd, void *buf, size_t max)
{
	struct iovec iov = {buf, max};
	struct msghdr m = {.msg_name = &p->from,
		.msg_namelen = sizeof(p->from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = p->control.space,
		.msg_controllen = sizeof(p->control.space)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
	p->fd = fd;
	p->from_len = m.msg_namelen;
	p->control_len = m.msg_controllen;
	p->len = n > 0 ? (size_t)n : 0;
	return n >= 0;
}

/* The one control message there is: which address the packet was sent to. */
static struct cmsghdr *info_of(struct packet *p, struct msghdr *m)
{
	*m = (struct msghdr){.msg_control = p->control.space, .msg_controllen = p->control_len};
	return CMSG_FIRSTHDR(m);
}

bool packet_to(struct packet *p, struct host_addr *to)
{
	struct msghdr m;
	const struct cmsghdr *c = info_of(p, &m);
	*to = (struct host_addr){0};
	if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		to->len = 4;
		memcpy(to->b, &info.ipi_addr, 4);
	} else if (c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		to->len = 16;
		memcpy(to->b, &info.ipi6_addr, 16);
	}
	return to->len;
}

void packet_reply(struct packet *p, const void *data, size_t n)
{
	struct iovec iov = {(void *)data, n};
	struct msghdr m;
	struct cmsghdr *c = info_of(p, &m);
	if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		info.ipi_spec_dst = info.ipi_addr;
		info.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
	m.msg_name = &p->from;
	m.msg_namelen = p->from_len;
	m.msg_iov = &iov;
	m.msg_iovlen = 1;
	(void)sendmsg(p->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}
