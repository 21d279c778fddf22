/* SPDX-License-Identifier: Apache-2.0 */
/* ca.c - the session's certificate authority. */
#include "net/proxy/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#define VALID_SECONDS (24L * 3600)
#define BUNDLE_MAX (16U << 20)

struct leaf {
	struct leaf *next;
	char *host;
	SSL_CTX *ctx;
	bool http1_only; /* the real server speaks no h2 */
};
struct ca {
	EVP_PKEY *key;      /* signs leaves; never leaves this process */
	EVP_PKEY *leaf_key; /* one key for all leaves of the session */
	X509 *cert;
	struct leaf *leaves;
};

int tls_err(struct err **e, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	ERR_clear_error();
	return err_set(e, 0, "%s: %s", what, reason ? reason : "no reason given");
}

static int add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!ext)
		return -1;
	int ok = X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok ? 0 : -1;
}

/* What CA and leaves share: version, random serial, validity, subject. */
static X509 *new_certificate(const char *cn, EVP_PKEY *key)
{
	unsigned char serial[16];
	X509 *c = X509_new();
	BIGNUM *bn = NULL;
	if (!c || RAND_bytes(serial, sizeof serial) != 1)
		goto bad;
	serial[0] &= 0x7f;
	bn = BN_bin2bn(serial, sizeof serial, NULL);
	X509_NAME *name = X509_get_subject_name(c);
	if (!bn || !BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(c)) || !X509_set_version(c, 2) ||
		!X509_gmtime_adj(X509_getm_notBefore(c), -300) ||
		!X509_gmtime_adj(X509_getm_notAfter(c), VALID_SECONDS) ||
		!X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) ||
		!X509_set_pubkey(c, key))
		goto bad;
	BN_free(bn);
	return c;
bad:
	BN_free(bn);
	X509_free(c);
	return NULL;
}

/* Files of certificates that programs of this host trust: variables they read, then the distributions' places. */
static const char *const root_vars[] = {"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	"GIT_SSL_CAINFO", "AWS_CA_BUNDLE"};
static const char *const root_files[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

static void add_file(struct buf *b, struct strv *seen, const char *path)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	if (!path || !*path || strv_has(seen, path) || file_read(path, BUNDLE_MAX, &text, &len, NULL) < 0)
		return;
	strv_add(seen, path);
	buf_add(b, text, len);
	if (len && text[len - 1] != '\n')
		buf_addc(b, '\n');
}

/* The session's certificate first, then every root the host's own programs would use. */
static int write_roots(const struct ca *ca, const char *bundle, const char *trust_store, struct err **e)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *pem = NULL;
	if (!mem || !PEM_write_bio_X509(mem, ca->cert)) {
		BIO_free(mem);
		return tls_err(e, "cannot encode the session's certificate");
	}
	long n = BIO_get_mem_data(mem, &pem);
	cleanup_buf struct buf b = {0};
	cleanup_strv struct strv seen = {0};
	buf_add(&b, pem, (size_t)n);
	BIO_free(mem);
	for (size_t i = 0; i < ARRAY_SIZE(root_vars); i++)
		add_file(&b, &seen, getenv(root_vars[i]));
	size_t own = seen.n;
	for (size_t i = 0; i < ARRAY_SIZE(root_files) && seen.n == own; i++)
		add_file(&b, &seen, root_files[i]);
	if (trust_store && trust_store_write(trust_store, b.data, b.len, e) < 0)
		return -1;
	return file_write_atomic(bundle, b.data, b.len, 0444, e);
}

struct ca *ca_new(const char *bundle, const char *trust_store, struct err **e)
{
	struct ca *ca = xcalloc(1, sizeof *ca);
	ca->key = EVP_EC_gen("P-256");
	ca->leaf_key = EVP_EC_gen("P-256");
	ca->cert = ca->key ? new_certificate("nono session CA", ca->key) : NULL;
	if (!ca->cert || !ca->leaf_key || !X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert)) ||
		add_extension(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") < 0 ||
		add_extension(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign") < 0 ||
		add_extension(ca->cert, ca->cert, NID_subject_key_identifier, "hash") < 0 ||
		!X509_sign(ca->cert, ca->key, EVP_sha256())) {
		tls_err(e, "cannot make the session's certificate authority");
		ca_free(ca);
		return NULL;
	}
	if (bundle && write_roots(ca, bundle, trust_store, e) < 0) {
		ca_free(ca);
		return NULL;
	}
	return ca;
}

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	while (ca->leaves) {
		struct leaf *l = ca->leaves;
		ca->leaves = l->next;
		free(l->host);
		SSL_CTX_free(l->ctx);
		free(l);
	}
	EVP_PKEY_free(ca->key);
	EVP_PKEY_free(ca->leaf_key);
	X509_free(ca->cert);
	free(ca);
}

/* The intercepted program may speak h2 or HTTP/1.1; what it offers first of these is taken. */
static int select_alpn(
	SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in, unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	const struct leaf *l = arg;
	size_t skip = l->http1_only ? 3 : 0;
	(void)ssl;
	if (SSL_select_next_proto((unsigned char **)out, outlen, ours + skip, (unsigned)(sizeof ours - 1 - skip), in,
		    inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/* The name in the handshake must be the one the connection is for: SNI that disagrees ends it. */
static int check_sni(SSL *ssl, int *alert, void *arg)
{
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct leaf *l = arg;
	if (sni && strcasecmp(sni, l->host) != 0) {
		*alert = SSL_AD_UNRECOGNIZED_NAME;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	return SSL_TLSEXT_ERR_OK;
}

static struct leaf *find_leaf(const struct ca *ca, const char *host)
{
	struct leaf *l = ca->leaves;
	while (l && strcmp(l->host, host) != 0)
		l = l->next;
	return l;
}

void ca_leaf_http1(struct ca *ca, const char *host)
{
	struct leaf *l = find_leaf(ca, host);
	if (l)
		l->http1_only = true;
}

SSL_CTX *ca_leaf(struct ca *ca, const char *host, struct err **e)
{
	struct leaf *l = find_leaf(ca, host);
	if (l)
		return l->ctx;
	bool address = strchr(host, ':') || strspn(host, "0123456789.") == strlen(host);
	cleanup_free char *san = xasprintf("%s:%s", address ? "IP" : "DNS", host);
	X509 *cert = new_certificate(strlen(host) <= 64 ? host : "intercepted", ca->leaf_key);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!cert || !ctx || !X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) ||
		add_extension(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") < 0 ||
		add_extension(cert, ca->cert, NID_key_usage, "critical,digitalSignature") < 0 ||
		add_extension(cert, ca->cert, NID_ext_key_usage, "serverAuth") < 0 ||
		add_extension(cert, ca->cert, NID_subject_alt_name, san) < 0 ||
		/* clients that check strictly (Python as of 3.13) want to see which key signed */
		add_extension(cert, ca->cert, NID_subject_key_identifier, "hash") < 0 ||
		add_extension(cert, ca->cert, NID_authority_key_identifier, "keyid:always") < 0 ||
		!X509_sign(cert, ca->key, EVP_sha256()) || !SSL_CTX_use_certificate(ctx, cert) ||
		!SSL_CTX_use_PrivateKey(ctx, ca->leaf_key) || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION)) {
		tls_err(e, "cannot make a certificate");
		X509_free(cert);
		SSL_CTX_free(ctx);
		return NULL;
	}
	X509_free(cert);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* of idle connections */
	l = xcalloc(1, sizeof *l);
	*l = (struct leaf){.next = ca->leaves, .host = xstrdup(host), .ctx = ctx};
	ca->leaves = l;
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, l);
	SSL_CTX_set_tlsext_servername_callback(ctx, check_sni);
	SSL_CTX_set_tlsext_servername_arg(ctx, l);
	return ctx;
}
