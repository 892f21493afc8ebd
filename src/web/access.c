#include "web/access.h"

#include <arpa/inet.h>
#include <sodium.h>

#include "api/urltext.h"

// ---------------------------------------------------------------- Host and Origin

// The host without its port and brackets; empty when what follows is no port.
static struct str name_of(struct str host) {
	bool brackets = host.n && host.p[0] == '[';
	size_t end = str_find_char(host, brackets ? ']' : ':');
	struct str name = str_slice(host, brackets, end), port = str_from(host, end + brackets);
	if ((brackets && end == host.n) || (port.n && port.p[0] != ':')) return STR_NONE;
	for (size_t i = 1; i < port.n; i++)
		if (port.p[i] < '0' || port.p[i] > '9') return STR_NONE;
	return name;
}

// A name of the attacker's can be made to resolve to this machine; an address can't be anything
// else.
static bool is_address(struct str name) {
	char text[64], binary[16];
	if (!name.n || name.n >= sizeof text || memchr(name.p, 0, name.n)) return false;
	memcpy(text, name.p, name.n);
	text[name.n] = 0;
	return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

static bool is_ours(const struct access_rules *r, struct str host) {
	struct str name = name_of(host);
	return is_address(name) || str_eq(name, STR("localhost")) || str_eq(host, r->own_host) ||
	       (r->public_host.n && str_eq(host, r->public_host));
}

bool access_origin(const struct access_rules *r, const struct access_request *q, struct err *e) {
	if (!q->host.n) return err_set(e, ERR_DENIED, "the request names no Host");
	if (!is_ours(r, q->host))
		return err_set(e, ERR_DENIED, "\"" STR_FMT "\" is not a name of this server; use " STR_FMT,
		               STR_ARG(str_slice(q->host, 0, q->host.n < 200 ? q->host.n : 200)),
		               STR_ARG(r->public_host.n ? r->public_host : r->own_host));
	if (q->origin.p) {
		size_t at = str_find(q->origin, STR("://"));
		struct str from = at < q->origin.n ? str_from(q->origin, at + 3) : STR_NONE;
		bool same = from.n &&
		            (str_eq(from, q->host) || (r->public_host.n && str_eq(from, r->public_host)));
		if (!same)
			return err_set(e, ERR_DENIED, "a page of \"" STR_FMT "\" may not ask this server",
			               STR_ARG(str_slice(q->origin, 0, q->origin.n < 200 ? q->origin.n : 200)));
	}
	bool reads = str_eq(q->method, STR("GET")) || str_eq(q->method, STR("HEAD"));
	if (!reads &&
	    (str_eq(q->fetch_site, STR("cross-site")) || str_eq(q->fetch_site, STR("same-site"))))
		return err_set(e, ERR_DENIED, "a page of another site may not change anything here");
	return true;
}

// ---------------------------------------------------------------- identity

static bool same_word(struct str a, const char *lower) {
	size_t n = strlen(lower);
	for (size_t i = 0; a.n == n && i < n; i++)
		if ((a.p[i] | 32) != lower[i]) return false;
	return a.n == n;
}

// Bearer TOKEN, or Basic with the token as password (what git sends).
static bool token_of(const struct access_request *q, struct arena *life, struct str *out,
                     struct err *e) {
	*out = STR_NONE;
	if (!q->authorization.n) {
		*out = urltext_cookie(q->cookie, "weir");
		return true;
	}
	struct str rest = q->authorization, kind = str_cut(&rest, ' ');
	rest = str_trim(rest);
	if (same_word(kind, "bearer")) {
		*out = rest;
		return true;
	}
	if (!same_word(kind, "basic"))
		return err_set(e, ERR_DENIED, "Authorization is neither Bearer nor Basic");
	char *text = arena_alloc(life, rest.n + 1);
	size_t n = 0;
	if (sodium_base642bin((unsigned char *)text, rest.n + 1, rest.p, rest.n, NULL, &n, NULL,
	                      sodium_base64_VARIANT_ORIGINAL))
		return err_set(e, ERR_DENIED, "the Basic credentials are not base64");
	struct str password = {text, n};
	str_cut(&password, ':');
	*out = password;
	return true;
}

bool access_identity(const struct access_rules *r, struct api *api, const struct access_request *q,
                     struct arena *life, struct api_identity *out, struct err *e) {
	struct str token;
	if (!token_of(q, life, &token, e)) return false;
	if (token.n) {
		struct err why = {0};
		if (api_identify(api, token, life, out, &why)) return true;
		// A cookie that went stale must not lock its owner out of the page where a new one is
		// given.
		if (q->authorization.n || why.code != ERR_DENIED) {
			if (e) *e = why;
			return false;
		}
	}
	*out = (struct api_identity){STR_NONE, 0};
	if (r->ambient && q->same_user && !q->forwarded)
		*out = (struct api_identity){STR("local"),
		                             OPERATION_SCOPE_ALL & ~(unsigned)OPERATION_SCOPE_PIPELINE};
	return true;
}

void access_form_token(const struct access_rules *r, const struct api_identity *who, char out[65]) {
	struct hash h;
	hash_begin(&h);
	hash_add(&h, r->secret, sizeof r->secret);
	hash_add_str(&h, who->name);
	digest_hex(hash_end(&h), out);
}

bool access_form_ok(const struct access_rules *r, const struct api_identity *who,
                    struct str token) {
	char want[65];
	access_form_token(r, who, want);
	return token.n == 64 && sodium_memcmp(token.p, want, 64) == 0;
}
