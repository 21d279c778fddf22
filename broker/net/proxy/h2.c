/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2.c - HTTP/2 inside an intercepted connection (RFC 9113), request by request.
 *
 * Theory of operation. Two nghttp2 sessions face each other: a server towards the
 * program, a client towards the real server. Each permitted request becomes one
 * stream there; headers, data and trailers are carried both ways, data through a
 * small buffer for each direction. Window updates are sent only for what the
 * other side has taken, so a slow reader slows the sender down. A request that
 * the endpoint rules do not allow is answered 403 here and never sent.
 *
 * What a peer can make us keep is bounded: header blocks by HTTP_HEAD_MAX and
 * MAX_FIELDS, all of a connection's and all there are by HEADS_CONN and HEADS_MAX, streams
 * by the number we offer, data by the windows. The window of a connection is small and
 * doubles each time a whole one was taken on the other side, as long as all together stay
 * below WINDOWS_MAX; it is small again when no stream is open. A client that
 * only opens and resets streams is told to calm down and loses the connection.
 */
#include "net/proxy/conn.h"

#include <event2/bufferevent_ssl.h>
#include <nghttp2/nghttp2.h>
#include <strings.h>

#define MAX_FIELDS 256
#define FIELD_OVERHEAD 64U /* of two strings and their pointers */
#define MAX_STREAMS 100
#define STREAM_WINDOW (1 << 20)
#define MAX_RESETS 1000U /* more than answered requests, on one connection */

struct field {
	char *name, *value;
};

/* One direction of a stream: data waiting to be sent on, its end, and the trailers behind it. */
struct flow {
	struct evbuffer *data;
	bool ended, deferred;
	struct field *trailers;
	size_t n_trailers;
};
struct stream {
	struct stream *next;
	struct h2 *h;
	int32_t client_id, server_id; /* server_id -1 until it was sent on */
	struct field *fields;         /* the header block being received */
	size_t n_fields, field_bytes;
	size_t held;           /* bytes of fields, until the stream ends */
	struct field *request; /* permitted, waits for the server */
	size_t n_request;
	bool head_sent; /* of the response */
	bool refused;   /* answered here: the body is dropped */
	bool orphan;    /* the server's connection is gone */
	struct flow up, down;
};
struct h2 {
	struct conn *c;
	nghttp2_session *client, *server; /* our server session; our client session, NULL until connected */
	struct stream *streams;
	bool connecting;
	unsigned resets, answered;
	size_t heads; /* of held of the streams */
	struct window {
		size_t more, taken; /* than WINDOW_FIRST; since it grew */
	} up, down;                 /* of the client session, the server session */
};

/* ---- streams ------------------------------------------------------------------ */

static void fields_free(struct field **f, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		free((*f)[i].name);
		free((*f)[i].value);
	}
	free(*f);
	*f = NULL;
	*n = 0;
}

static void stream_free(struct stream *s)
{
	s->h->heads -= s->held;
	s->h->c->p->heads -= s->held;
	fields_free(&s->fields, &s->n_fields);
	fields_free(&s->request, &s->n_request);
	fields_free(&s->up.trailers, &s->up.n_trailers);
	fields_free(&s->down.trailers, &s->down.n_trailers);
	evbuffer_free(s->up.data);
	evbuffer_free(s->down.data);
	free(s);
}

static struct stream *stream_of(const struct h2 *h, const nghttp2_session *session, int32_t id)
{
	for (struct stream *s = h->streams; s; s = s->next)
		if ((session == h->client ? s->client_id : s->server_id) == id)
			return s;
	return NULL;
}

static struct stream *stream_new(struct h2 *h, int32_t client_id)
{
	struct stream *s = xcalloc(1, sizeof *s);
	s->h = h;
	s->client_id = client_id;
	s->server_id = -1;
	s->up.data = evbuffer_new();
	s->down.data = evbuffer_new();
	s->next = h->streams;
	h->streams = s;
	return s;
}

static const char *field_of(const struct field *f, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].name, name) == 0)
			return f[i].value;
	return NULL;
}

static const char *field(const struct stream *s, const char *name)
{
	return field_of(s->fields, s->n_fields, name);
}

static nghttp2_nv nv_of(const struct field *f)
{
	/* a field is made with both */
	const char *name = f->name ? f->name : "", *value = f->value ? f->value : "";
	return (nghttp2_nv){
		.name = (uint8_t *)name, .namelen = strlen(name), .value = (uint8_t *)value, .valuelen = strlen(value)};
}

/* ---- writing ------------------------------------------------------------------ */

/* Let a session write what it can into its connection. Return: -1 when it is over and everything is sent. */
static int pump(struct h2 *h, nghttp2_session *session)
{
	struct bufferevent *bev = session == h->client ? h->c->client : h->c->server;
	struct evbuffer *out = bufferevent_get_output(bev);
	const uint8_t *data;
	while (evbuffer_get_length(out) < ENDED_HIGH) {
		ssize_t n = nghttp2_session_mem_send(session, &data);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		bufferevent_write(bev, data, (size_t)n);
	}
	if (nghttp2_session_want_read(session) || nghttp2_session_want_write(session))
		return 0;
	bufferevent_setwatermark(bev, EV_WRITE, 0, 0);
	return evbuffer_get_length(out) ? 0 : -1;
}

/* How much more than at first may be on its way to a session, over all streams. */
static void set_window(struct h2 *h, nghttp2_session *session, size_t more)
{
	struct window *w = session == h->client ? &h->up : &h->down;
	struct proxy *p = h->c->p;
	p->windows += more - w->more;
	*w = (struct window){.more = more};
	if (session)
		nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, (int32_t)(WINDOW_FIRST + w->more));
}

/* The server's connection is gone: what waits for it ends, the next request opens another. */
static void drop_server(struct h2 *h)
{
	nghttp2_session_del(steal_ptr(&h->server));
	set_window(h, NULL, 0);
	side_free(&h->c->server);
	h->connecting = false;
	for (struct stream *s = h->streams; s; s = s->next) {
		if (s->n_request)
			continue;
		if (s->server_id >= 0 && !s->down.ended)
			nghttp2_submit_rst_stream(h->client, NGHTTP2_FLAG_NONE, s->client_id, NGHTTP2_INTERNAL_ERROR);
		s->server_id = -1;
		s->orphan = true;
	}
}

static void pump_both(struct h2 *h)
{
	if (h->server && pump(h, h->server) < 0)
		drop_server(h);
	if (pump(h, h->client) < 0)
		conn_close(h->c);
}

/* The sender of @n bytes may go on; the stream may be gone already. */
static void consumed(struct h2 *h, nghttp2_session *session, int32_t id, size_t n)
{
	if (!session)
		return;
	if (id >= 0)
		nghttp2_session_consume(session, id, n);
	else
		nghttp2_session_consume_connection(session, n);
	struct window *w = session == h->client ? &h->up : &h->down;
	size_t size = WINDOW_FIRST + w->more;
	w->taken += n;
	if (w->taken >= size && size < WINDOW_LAST && h->c->p->windows + size <= WINDOWS_MAX)
		set_window(h, session, w->more + size);
}

static ssize_t read_flow(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
	nghttp2_data_source *source, void *user)
{
	struct h2 *h = user;
	struct stream *s = source->ptr;
	struct flow *f = session == h->client ? &s->down : &s->up;
	int n = evbuffer_remove(f->data, buf, length);
	if (n > 0) {
		/* only now may the sender on the other side go on */
		if (session == h->server)
			consumed(h, h->client, s->client_id, (size_t)n);
		else if (!s->refused && !s->orphan)
			consumed(h, h->server, s->server_id, (size_t)n);
	}
	if (evbuffer_get_length(f->data) == 0 && f->ended) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (f->n_trailers) {
			nghttp2_nv nv[MAX_FIELDS];
			for (size_t i = 0; i < f->n_trailers; i++)
				nv[i] = nv_of(&f->trailers[i]);
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			nghttp2_submit_trailer(session, id, nv, f->n_trailers);
		}
	} else if (n <= 0) {
		f->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	return n > 0 ? n : 0;
}

static void resume(struct h2 *h, nghttp2_session *session, struct stream *s)
{
	struct flow *f = session == h->client ? &s->down : &s->up;
	int32_t id = session == h->client ? s->client_id : s->server_id;
	if (session && f->deferred && id >= 0) {
		f->deferred = false;
		nghttp2_session_resume_data(session, id);
	}
}

/* ---- requests ------------------------------------------------------------------ */

static void answer(struct h2 *h, struct stream *s, const char *status, const char *why)
{
	struct field fields[] = {
		{(char *)":status", (char *)status}, {(char *)"content-type", (char *)"text/plain; charset=utf-8"}};
	nghttp2_nv nv[] = {nv_of(&fields[0]), nv_of(&fields[1])};
	cleanup_free char *safe = str_sanitize(why);
	evbuffer_add_printf(s->down.data, "nono: %s\n", safe);
	consumed(h, h->client, s->client_id, evbuffer_get_length(s->up.data));
	evbuffer_drain(s->up.data, evbuffer_get_length(s->up.data));
	s->refused = true;
	s->down.ended = true;
	s->head_sent = true;
	nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_flow};
	nghttp2_submit_response(h->client, s->client_id, nv, ARRAY_SIZE(nv), &body);
}

/* Whether everything in the request that names a host names the connection's. */
static bool names_host(const struct conn *c, const struct stream *s)
{
	const char *authority = field(s, ":authority"), *host = field(s, "host"), *scheme = field(s, ":scheme");
	const char *both[] = {authority, host};
	if ((!authority && !host) || !scheme || strcmp(scheme, "https") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		cleanup_free char *named = NULL;
		unsigned port = c->port;
		if (both[i] && (http_split_authority(both[i], &named, &port) < 0 || strcmp(named, c->host) != 0 ||
				       port != c->port))
			return false;
	}
	return true;
}

/* Whether the request may be sent on; answers it otherwise. */
static bool judge(struct h2 *h, struct stream *s)
{
	struct conn *c = h->c;
	const char *method = field(s, ":method"), *path = field(s, ":path");
	if (!method || !path || !names_host(c, s)) {
		answer(h, s, "403", "the request names another host than the connection");
		return false;
	}
	const struct proxy_route *r = conn_route(c);
	if (r && !route_allows(r, method, path)) {
		cleanup_free char *why =
			xasprintf("%s %s on %s is not among the endpoints the profile allows", method, path, c->host);
		answer(h, s, "403", why);
		return false;
	}
	return true;
}

static void send_on(struct h2 *h, struct stream *s)
{
	nghttp2_nv nv[MAX_FIELDS];
	size_t n = 0;
	for (size_t i = 0; i < s->n_request; i++)
		if (strcmp(s->request[i].name, "host") != 0 || !field_of(s->request, s->n_request, ":authority"))
			nv[n++] = nv_of(&s->request[i]);
	nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_flow};
	bool bodyless = s->up.ended && evbuffer_get_length(s->up.data) == 0 && !s->up.n_trailers;
	s->server_id = nghttp2_submit_request(h->server, NULL, nv, n, bodyless ? NULL : &body, s);
	if (s->server_id < 0)
		answer(h, s, "502", "cannot send the request on");
	fields_free(&s->request, &s->n_request);
}

/* A server that takes no more requests on its connection is left, once what it still answers is answered. */
static bool server_ready(struct h2 *h)
{
	if (!h->server || nghttp2_session_check_request_allowed(h->server))
		return true;
	for (const struct stream *s = h->streams; s; s = s->next)
		if (s->server_id >= 0)
			return false;
	drop_server(h);
	return true;
}

static void on_request(struct h2 *h, struct stream *s)
{
	if (!judge(h, s)) {
		fields_free(&s->fields, &s->n_fields);
		return;
	}
	s->request = steal_ptr(&s->fields);
	s->n_request = s->n_fields;
	s->n_fields = s->field_bytes = 0;
	if (!server_ready(h)) {
		nghttp2_submit_rst_stream(h->client, NGHTTP2_FLAG_NONE, s->client_id, NGHTTP2_REFUSED_STREAM);
	} else if (h->server) {
		send_on(h, s);
	} else if (!h->connecting) {
		h->connecting = true;
		conn_dial(h->c);
	}
}

static void on_response_head(struct h2 *h, struct stream *s)
{
	nghttp2_nv nv[MAX_FIELDS];
	const char *status = field(s, ":status");
	for (size_t i = 0; i < s->n_fields; i++)
		nv[i] = nv_of(&s->fields[i]);
	if (status && status[0] == '1') {
		nghttp2_submit_headers(h->client, NGHTTP2_FLAG_NONE, s->client_id, NULL, nv, s->n_fields, NULL);
	} else if (s->head_sent) { /* trailers */
		fields_free(&s->down.trailers, &s->down.n_trailers);
		s->down.trailers = steal_ptr(&s->fields);
		s->down.n_trailers = s->n_fields;
		s->n_fields = 0;
	} else {
		nghttp2_data_provider body = {.source.ptr = s, .read_callback = read_flow};
		nghttp2_submit_response(h->client, s->client_id, nv, s->n_fields, &body);
		s->head_sent = true;
		h->answered++;
	}
	fields_free(&s->fields, &s->n_fields);
	s->field_bytes = 0;
}

/* ---- callbacks of both sessions --------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h = user;
	if (session == h->client && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		stream_new(h, frame->hd.stream_id);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t namelen,
	const uint8_t *value, size_t valuelen, uint8_t flags, void *user)
{
	struct h2 *h = user;
	struct stream *s = stream_of(h, session, frame->hd.stream_id);
	(void)flags;
	if (!s)
		return 0;
	s->field_bytes += namelen + valuelen;
	size_t size = namelen + valuelen + FIELD_OVERHEAD;
	if (h->heads + size > HEADS_CONN || h->c->p->heads + size > HEADS_MAX)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	s->held += size;
	h->heads += size;
	h->c->p->heads += size;
	if (s->n_fields >= MAX_FIELDS || s->field_bytes > HTTP_HEAD_MAX || memchr(value, '\0', valuelen))
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	s->fields = xreallocarray(s->fields, s->n_fields + 1, sizeof *s->fields);
	s->fields[s->n_fields++] =
		(struct field){xstrndup((const char *)name, namelen), xstrndup((const char *)value, valuelen)};
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct h2 *h = user;
	struct stream *s = stream_of(h, session, frame->hd.stream_id);
	bool from_client = session == h->client;
	if (!s || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	struct flow *f = from_client ? &s->up : &s->down;
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		f->ended = true;
	if (frame->hd.type == NGHTTP2_HEADERS && from_client && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		on_request(h, s);
	} else if (frame->hd.type == NGHTTP2_HEADERS && from_client) {
		fields_free(&f->trailers, &f->n_trailers);
		f->trailers = steal_ptr(&s->fields);
		f->n_trailers = s->n_fields;
		s->n_fields = s->field_bytes = 0;
	} else if (frame->hd.type == NGHTTP2_HEADERS) {
		on_response_head(h, s);
	}
	resume(h, from_client ? h->server : h->client, s);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *user)
{
	struct h2 *h = user;
	struct stream *s = stream_of(h, session, id);
	(void)flags;
	if (!s || (s->refused && session == h->client)) {
		nghttp2_session_consume(session, id, len);
		return 0;
	}
	evbuffer_add(session == h->client ? s->up.data : s->down.data, data, len);
	resume(h, session == h->client ? h->server : h->client, s);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct h2 *h = user;
	struct stream *s = stream_of(h, session, id);
	if (!s)
		return 0;
	if (session == h->server) {
		s->server_id = -1;
		/* a response that ended early is not made to look complete */
		if (code != NGHTTP2_NO_ERROR || !s->down.ended)
			nghttp2_submit_rst_stream(
				h->client, NGHTTP2_FLAG_NONE, s->client_id, code ? code : NGHTTP2_INTERNAL_ERROR);
		return 0;
	}
	if (s->server_id >= 0 && h->server)
		nghttp2_submit_rst_stream(h->server, NGHTTP2_FLAG_NONE, s->server_id, NGHTTP2_CANCEL);
	/* what it leaves behind no longer counts against the windows of the connections */
	consumed(h, h->client, -1, evbuffer_get_length(s->up.data));
	if (!s->refused && !s->orphan)
		consumed(h, h->server, -1, evbuffer_get_length(s->down.data));
	if (code != NGHTTP2_NO_ERROR && ++h->resets > MAX_RESETS + h->answered)
		nghttp2_session_terminate_session(h->client, NGHTTP2_ENHANCE_YOUR_CALM);
	for (struct stream **p = &h->streams; *p; p = &(*p)->next)
		if (*p == s) {
			*p = s->next;
			break;
		}
	stream_free(s);
	if (!h->streams) {
		set_window(h, h->client, 0);
		if (h->server)
			set_window(h, h->server, 0);
	}
	return 0;
}

static nghttp2_session *new_session(struct h2 *h, bool server)
{
	nghttp2_session_callbacks *cb = NULL;
	nghttp2_option *opt = NULL;
	nghttp2_session *session = NULL;
	if (nghttp2_session_callbacks_new(&cb) != 0 || nghttp2_option_new(&opt) != 0)
		goto out;
	nghttp2_option_set_no_auto_window_update(opt, 1);
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
	int rc = server ? nghttp2_session_server_new2(&session, cb, h, opt)
			: nghttp2_session_client_new2(&session, cb, h, opt);
	const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX}, {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
	if (rc != 0) {
		session = NULL;
	} else {
		nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, server ? 3 : 4);
		nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_FIRST);
	}
out:
	nghttp2_session_callbacks_del(cb);
	nghttp2_option_del(opt);
	return session;
}

/* ---- the two connections ------------------------------------------------------------ */

static void h2_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	struct h2 *h = c->h2;
	nghttp2_session *session = bev == c->client ? h->client : h->server;
	struct evbuffer *in = bufferevent_get_input(bev);
	char chunk[16384];
	int n;
	while ((n = evbuffer_remove(in, chunk, sizeof chunk)) > 0)
		if (nghttp2_session_mem_recv(session, (uint8_t *)chunk, (size_t)n) < 0) {
			if (session == h->client) {
				conn_close(c);
				return;
			}
			drop_server(h);
			break;
		}
	pump_both(h);
}

static void h2_drained(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	(void)bev;
	pump_both(c->h2);
}

static void h2_server_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) {
		drop_server(c->h2);
		pump_both(c->h2);
	}
}

static void h2_watch(struct conn *c, struct bufferevent *bev)
{
	bufferevent_setcb(bev, h2_read, h2_drained, bev == c->client ? conn_client_event : h2_server_event, c);
	bufferevent_setwatermark(bev, EV_WRITE, ENDED_CHUNK / 2, 0);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void h2_start(struct conn *c)
{
	struct h2 *h = xcalloc(1, sizeof *h);
	h->c = c;
	c->h2 = h;
	h->client = new_session(h, true);
	if (!h->client) {
		conn_close(c);
		return;
	}
	h2_watch(c, c->client);
	h2_read(c->client, c);
}

void h2_fail(struct conn *c, int status, const char *why)
{
	struct h2 *h = c->h2;
	cleanup_free char *code = xasprintf("%d", status);
	for (struct stream *s = h->streams; s; s = s->next)
		if (s->n_request) {
			answer(h, s, code, why);
			fields_free(&s->request, &s->n_request);
		}
	h->connecting = false;
	pump_both(h);
}

static void h2_server_tls(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;
	const unsigned char *alpn = NULL;
	unsigned n = 0;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		cleanup_free char *why = intercept_failure(bev, c->host);
		dial_failed(c, 502, why);
		return;
	}
	if (!(what & BEV_EVENT_CONNECTED))
		return;
	SSL_get0_alpn_selected(bufferevent_openssl_get_ssl(bev), &alpn, &n);
	struct h2 *h = c->h2;
	h->server = n == 2 && memcmp(alpn, "h2", 2) == 0 ? new_session(h, false) : NULL;
	if (!h->server) { /* the server speaks no h2: the client is told, and offered HTTP/1.1 when it connects again */
		ca_leaf_http1(c->p->ca, c->host);
		for (struct stream *s = h->streams; s; s = s->next)
			nghttp2_submit_rst_stream(
				h->client, NGHTTP2_FLAG_NONE, s->client_id, NGHTTP2_HTTP_1_1_REQUIRED);
		h->connecting = false;
		side_free(&c->server);
		pump_both(h);
		return;
	}
	h->connecting = false;
	h2_watch(c, bev);
	for (struct stream *s = h->streams; s; s = s->next)
		if (s->n_request)
			send_on(h, s);
	pump_both(h);
}

void h2_server_connected(struct conn *c)
{
	if (intercept_server(c, "h2", h2_server_tls) < 0)
		dial_failed(c, 502, "cannot start TLS towards the server");
}

void h2_free(struct h2 *h)
{
	nghttp2_session_del(h->client);
	nghttp2_session_del(h->server);
	h->c->p->windows -= h->up.more + h->down.more;
	while (h->streams) {
		struct stream *s = h->streams;
		h->streams = s->next;
		stream_free(s);
	}
	free(h);
}
