/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - contracts between the files of the net room. docs/network.md tells how they work together. */
#ifndef NONO_NET_INTERNAL_H
#define NONO_NET_INTERNAL_H

#include "net/net.h"
#include "policy/hosts.h"
#include "trap/trap.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/un.h>

/* ---- synthetic addresses (names.c) --------------------------------------- */

struct sock_call;
struct names;
struct names *names_new(void);
void names_free(struct names *t);
/**
 * names_assign() - the synthetic address that stands for @name at @real; the same for the same pair.
 * @real: what the name resolved to; len 0: not resolved yet, that is done when something connects
 * @len: 4 or 16, the family of the synthetic address
 * Return: 0, or -ENOSPC when too many names were asked for in this session.
 */
int names_assign(struct names *t, const char *name, const struct host_addr *real, uint8_t len, struct host_addr *out);
/** names_range() - whether @a lies in a range that synthetic addresses are taken from. */
bool names_range(const struct host_addr *a);
/** names_find() - what a synthetic address stands for. @name: 254 bytes. Return: false if it was never given out. */
bool names_find(struct names *t, const struct host_addr *synthetic, char *name, struct host_addr *real);

/* ---- the host's /etc/hosts (hostsfile.c) --------------------------------- */

struct hostsfile;
struct hostsfile *hostsfile_new(const char *path);
void hostsfile_free(struct hostsfile *f);
/** hostsfile_addrs() - addresses of @name with @len bytes. Return: how many were put into @out. */
size_t hostsfile_addrs(struct hostsfile *f, const char *name, uint8_t len, struct host_addr *out, size_t max);
/** hostsfile_has() - whether the file names @name at all. */
bool hostsfile_has(struct hostsfile *f, const char *name);
/** hostsfile_name() - the @i-th name of @a. @name: 254 bytes. Return: false past the last. */
bool hostsfile_name(struct hostsfile *f, const struct host_addr *a, size_t i, char *name);

/* ---- the host's resolver (resolve.c, wanted.c, message.c) --------------------- */

#define DNS_MAX 65535
#define RESOLVE_ADDRS 16

struct resolver;
/** resolver_new() - @stop: an eventfd; waiting ends when it becomes readable. Both are borrowed. */
struct resolver *resolver_new(struct hostsfile *hosts, int stop);
void resolver_free(struct resolver *r);
/** struct resolved - addresses of a name, or that there are none. */
struct resolved {
	struct host_addr addr[RESOLVE_ADDRS];
	size_t n;
	unsigned ttl; /* seconds */
	bool exists;  /* false: NXDOMAIN */
};
/**
 * resolver_host() - addresses of @name, from /etc/hosts, the cache, or the host's name servers.
 * @len: 4 or 16
 * @wait: false: only what needs no waiting
 * Return: 0, -EAGAIN when it would have to wait, -EIO when no server answered.
 */
int resolver_host(struct resolver *r, const char *name, uint8_t len, bool wait, struct resolved *out);
/** resolver_raw() - ask the name servers. @answer: DNS_MAX bytes. Return: length of the answer or -errno. */
ssize_t resolver_raw(struct resolver *r, const char *name, unsigned type, uint8_t *answer);

/**
 * resolver_as_is() - whether the C library would ask the name servers for just @name and both families: neither
 * /etc/hosts nor the options of /etc/resolv.conf say otherwise.
 */
bool resolver_as_is(struct resolver *r, const char *name);

/* a name being looked up while a program waits (wanted.c) */
struct wanted;
/**
 * wanted_join() - have @name looked up, or wait for a lookup of it that is under way.
 * @len: 4 or 16
 * Return: NULL when that is not possible.
 */
struct wanted *wanted_join(struct net *n, const char *name, uint8_t len);
/**
 * wanted_wait() - until all of @w[0..n) are looked up, the caller dies or is signalled. The lookups go on.
 * @w: entries may be NULL
 * Return: 0, or -errno: nothing is known then; -TRAP_RESTART for a signal.
 */
int wanted_wait(struct trap_call *c, struct wanted *const *w, size_t n);
/** wanted_found() - after wanted_wait(): what resolver_host() said. Return: 0 or -EIO. */
int wanted_found(const struct wanted *w, struct resolved *out);
/** wanted_leave() - end the caller's interest. NULL-safe. */
void wanted_leave(struct wanted *w);

/** struct dns_question - what a program asked. */
struct dns_question {
	char name[254]; /* lower case, "" for the root */
	unsigned type, class;
	size_t end; /* offset behind the question */
	bool edns;
	unsigned size; /* largest answer the program takes */
};
/** dns_parse_question() - read a query. Return: 0 or -EINVAL. */
int dns_parse_question(const uint8_t *msg, size_t n, struct dns_question *q);
/** dns_make_query() - a query for @name. @out: 300 bytes. Return: its length or -EINVAL. */
ssize_t dns_make_query(const char *name, unsigned type, unsigned id, uint8_t *out);
/** dns_parse_addrs() - addresses of @name in a response, links between names followed. Return: 0, -EIO if it is no
 * answer. */
int dns_parse_addrs(const uint8_t *msg, size_t n, const char *name, uint8_t len, struct resolved *out);
/** struct dns_writer - a response being made. */
struct dns_writer {
	uint8_t *out;
	size_t len, max;
	bool full; /* something did not fit */
};
/** dns_begin() - header and question of the response to @query. */
void dns_begin(struct dns_writer *w, uint8_t *out, size_t max, const uint8_t *query, const struct dns_question *q);
void dns_add_addr(struct dns_writer *w, const struct host_addr *a, unsigned ttl);
void dns_add_ptr(struct dns_writer *w, const char *name, unsigned ttl);
/**
 * dns_add_answers() - pass on the answers of @msg but addresses; address hints of service records are left out.
 * @ech: keys for Encrypted Client Hello are passed on
 */
int dns_add_answers(struct dns_writer *w, const uint8_t *msg, size_t n, bool ech);
/** dns_end() - finish with a response code. Return: length. */
size_t dns_end(struct dns_writer *w, unsigned rcode, const struct dns_question *q);

/* ---- datagrams in the dead end (packet.c, udp.c) -------------------------- */

/** struct packet - a datagram that arrived: from whom, and to which address. */
struct packet {
	int fd;
	size_t len;
	struct sockaddr_storage from;
	socklen_t from_len;
	size_t control_len;
	union {
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		size_t align; /* as of struct cmsghdr */
	} control;
};
/** packet_read() - receive without waiting. Return: false when there is none. */
bool packet_read(struct packet *p, int fd, void *buf, size_t max);
/** packet_to() - the address it was sent to. Return: false if unknown. */
bool packet_to(struct packet *p, struct host_addr *to);
/** packet_reply() - answer it from that address. */
void packet_reply(struct packet *p, const void *data, size_t n);
/** udp_serve() - carry datagrams that rules allow; called once the dead end is there. Return: 0 or -errno. */
int udp_serve(struct net *n);

/* ---- datagrams that are not carried (refused.c) ---------------------------- */

/** refused_socket() - in the dead end: what shows the heads of datagrams. Return: a descriptor or -errno. */
int refused_socket(void);
/** refused_note() - record those that came since, and that no rule allows. From any thread. */
void refused_note(struct net *n);

/* ---- answering the tree (dns.c, lookup.c) --------------------------------- */

/** dns_own_name() - this machine: localhost, and the name that programs get from it and look up. */
bool dns_own_name(const char *name);
/**
 * dns_addresses() - the synthetic addresses of @name, which is not our own.
 * @len: 4 or 16
 * @wait: false: -EAGAIN when the name servers would have to be asked
 * @why: set when it is refused, which is not recorded here
 * Return: a DNS response code, or -EAGAIN; refused: programs must not look it up, or it leads where none may go
 */
int dns_addresses(struct net *n, const char *name, uint8_t len, bool wait, struct resolved *out, struct decision *why);
/**
 * dns_answer() - the response to one query.
 * @wait: false: -EAGAIN when the name servers would have to be asked
 * @tcp: no limit from the transport
 * Return: length, or -errno when there is nothing to answer.
 */
ssize_t dns_answer(struct net *n, const uint8_t *query, size_t len, uint8_t *out, bool wait, bool tcp);
/** dns_serve_udp() - answer on n->dns until net_stop(). Return: 0 or -errno. */
int dns_serve_udp(struct net *n);
/** dns_serve_tcp() - answer on one connection. Takes it over. Return: 0 or -errno. */
int dns_serve_tcp(struct net *n, int fd);

/** lookup_serve() - answer a call of the shim's (proto/lookup.h). */
void lookup_serve(struct trap_call *c);

/* ---- the dead end (deadend.c) -------------------------------------------- */

struct deadend;
struct deadend *deadend_new(void);
void deadend_free(struct deadend *d);
/**
 * deadend_socket() - a socket of the dead-end namespace, which is made when first needed.
 * @type: with SOCK_CLOEXEC and SOCK_NONBLOCK as the caller wants them
 * Return: a descriptor or -errno; -ENOSYS: there can be no dead end on this machine
 */
int deadend_socket(struct net *n, int domain, int type, int protocol);
/** deadend_listener() - for udp_serve(): a datagram socket in there, bound to @port of every address. Return: it or
 * -errno. */
int deadend_listener(struct deadend *d, int domain, unsigned port);
/** deadend_owns() - whether socket @fd was born in the dead end. */
bool deadend_owns(struct deadend *d, int fd);
/** deadend_unlikely() - whether this machine is known to refuse it (cheap; for the program's environment). */
bool deadend_unlikely(void);

/* ---- where there can be no dead end (standin.c) ------------------------------ */

struct standins;
struct standins *standins_new(void);
void standins_free(struct standins *s);
/**
 * standin_socket() - what a program gets in place of a datagram socket: whatever it sends, our resolver answers.
 * @type: SOCK_NONBLOCK as the caller wants it
 * Return: a descriptor or -errno.
 */
int standin_socket(struct net *n, int type);
/** standin_is() - whether the caller's socket is one, and the call is none that a Unix socket would take. */
bool standin_is(const struct sock_call *s);
/** standin_connect() - what connect() on one answers. Return: 0 or -errno. */
int standin_connect(const struct sock_call *s);

/* ---- calls that may block (wait.c) --------------------------------------- */

/**
 * wait_connect() - connect() on the caller's socket until it is done, the caller
 * dies or a signal is delivered to it. The socket's flags stay as they are.
 * Return: 0 or -errno; -TRAP_RESTART when a signal came: the kernel then restarts the call or
 * reports EINTR, as the program's signal action says.
 */
int wait_connect(struct trap_call *c, int fd, const struct sockaddr *addr, socklen_t len);

/* ---- one trapped socket call (call.c) ------------------------------------ */

/** struct sock_call - the caller's socket and the address it gave, copied once. */
struct sock_call {
	int fd; /* duplicate of the caller's */
	int domain, type, protocol;
	bool nonblock;
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} addr;
};
/** sock_call_read() - take the socket, and the address unless @addr is false. Return: 0; else the call was answered. */
int sock_call_read(struct trap_call *c, struct sock_call *s, bool addr);
void sock_call_done(struct sock_call *s);
#define cleanup_sock __attribute__((cleanup(sock_call_done)))
/** sock_call_host() - address and port of an internet address. Return: false if it is none or too short. */
bool sock_call_host(const struct sock_call *s, struct host_addr *a, unsigned *port);
/** sock_call_set_host() - put another address of the same family in. Return: false if it does not fit. */
bool sock_call_set_host(struct sock_call *s, const struct host_addr *a);
/** caller_status() - the text of /proc/<tid>/status; "" when it is gone. */
void caller_status(pid_t tid, char *buf, size_t size);
/** call_net() - the net room of this session; NULL without one. */
struct net *call_net(const struct trap_call *c);
/** call_refuse() - ask or refuse: nothing allows it. */
void call_refuse(struct trap_call *c, enum operation op, const char *host, unsigned port, bool udp, struct decision d);

/* connect and bind for Unix sockets (unix.c) */
void unix_connect(struct trap_call *c, struct sock_call *s);
void unix_bind(struct trap_call *c, struct sock_call *s);

/** datagram_socket() - a stand-in for a Unix datagram socket. @flags: of socket(). Return: it or -errno. */
int datagram_socket(int flags);
/** datagram_is() - whether the caller's socket is one. */
bool datagram_is(const struct sock_call *s);
/** datagram_receives() - whether it is one that datagram_receive() made. */
bool datagram_receives(const struct sock_call *s);
/**
 * datagram_receive() - put a datagram socket that can only receive in place of the caller's stand-in.
 * @s: then has the new one
 * Return: 0 or -errno.
 */
int datagram_receive(struct trap_call *c, struct sock_call *s);
/** datagram_reconnect() - put a connected stand-in in place of a datagram socket that could only receive. Return: 0 or
 * -errno. */
int datagram_reconnect(struct trap_call *c, struct sock_call *s, const struct sockaddr_un *to, socklen_t len);
/**
 * datagram_connect() - connect a program's stand-in for a Unix datagram socket (datagram.c).
 * @program: its sequenced-packet socket, not connected yet; borrowed
 * Return: 0 or -errno.
 */
int datagram_connect(struct net *n, int program, const struct sockaddr_un *to, socklen_t len);

/* ---- connections that end in the broker (connect.c, gateway.c) ---------------- */

/**
 * connect_to_broker() - connect the caller's socket to one of our own, over loopback.
 * Return: our end, or -errno.
 */
int connect_to_broker(const struct sock_call *s);

struct gateway;
/** gateway_new() - the HTTP proxy of a session that filters, or has a parent proxy. *@g: NULL when it needs none. */
int gateway_new(struct gateway **g, struct net *n, struct err **e);
/** gateway_stop() - nothing is decided for it any more; threads that are under way may still answer. */
void gateway_stop(struct gateway *g);
/** gateway_free() - after gateway_stop() and the end of the room's threads. NULL-safe. */
void gateway_free(struct gateway *g);
/** gateway_environment() - proxy variables, and those that name the session's certificate authority. */
void gateway_environment(const struct gateway *g, struct pairs *out);
/** gateway_at() - whether TCP to @a and @port means the proxy. */
bool gateway_at(const struct gateway *g, const struct host_addr *a, unsigned port);
/** gateway_connect() - the program connects to the proxy. Return: 0 or -errno. */
int gateway_connect(struct gateway *g, struct trap_call *c, const struct sock_call *s);
/**
 * gateway_diverts() - whether TCP to @host:@port goes through the broker although the program knows of no proxy: its
 * requests are restricted to endpoints, or it is reached by a parent proxy only.
 */
bool gateway_diverts(const struct gateway *g, const char *host, unsigned port);
/** gateway_divert() - the program connects to @host:@port, which gateway_diverts(). Return: 0 or -errno. */
int gateway_divert(struct gateway *g, struct trap_call *c, const struct sock_call *s, const char *host, unsigned port);
/** gateway_parent() - whether @host is reached by the parent proxy, which resolves it. */
bool gateway_parent(const struct gateway *g, const char *host);

/* ---- sockets the tree listens on (listeners.c) --------------------------- */

struct listeners;
struct listeners *listeners_new(void);
void listeners_free(struct listeners *l);
/** listeners_add() - process @tgid listens on @fd (internet), or has bound it to an abstract name. */
void listeners_add(struct listeners *l, int fd, pid_t tgid);
/**
 * listeners_judged() - whether @fd is bound to a port that was judged when it was bound.
 * @add: it is, note it
 */
bool listeners_judged(struct listeners *l, int fd, bool add);
/** listeners_port() - whether what listens on loopback @port now is a socket of the tree. */
bool listeners_port(struct listeners *l, unsigned port);
/** listeners_kept() - whether a login of another program's awaits its answer on @port, so that @tgid must not listen.
 */
bool listeners_kept(struct listeners *l, unsigned port, pid_t tgid);
enum holder { HOLDER_NOBODY, HOLDER_TREE, HOLDER_FOREIGN };
/** listeners_abstract() - whose socket holds abstract @name (without its first byte). */
enum holder listeners_abstract(struct listeners *l, const char *name, size_t len);

/* ---- the room ------------------------------------------------------------ */

struct net {
	struct net_config cfg;
	enum net_mode mode;
	bool later; /* names may be answered before anything allows them: connecting asks */
	struct names *names;
	struct hostsfile *hosts;
	struct resolver *resolver;
	struct deadend *deadend;
	struct standins *standins;
	struct listeners *listeners;
	struct gateway *gateway; /* NULL: this session has no proxy */
	int stop;                /* eventfd, readable when the room stops */
	int dns[2];              /* the dead end's sockets on port 53, IPv4 and IPv6; -1: none */
	int refused;             /* shows datagrams in the dead end; -1: none */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned threads;      /* running, waited for by net_stop() */
	struct wanted *wanted; /* names being looked up for programs that wait; under the lock */
	pthread_t server;
	bool serving;
};
/** net_thread() - run @fn on a thread that net_stop() waits for. Return: 0 or -errno (-EAGAIN: too many). */
int net_thread(struct net *n, void *(*fn)(void *), void *arg);
void net_thread_done(struct net *n);

#endif
