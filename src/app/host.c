#include "app/host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/door.h"
#include "app/githttp.h"
#include "os/file.h"
#include "os/note.h"
#include "store/read.h"
#include "web/web.h"

struct host {
	struct arena life;
	struct daemon *daemon;
	struct object_store *objects;
	struct web *web;
	struct str spool; // the web server borrows it
};

enum { PEM_MAX = 1 << 20 };

static bool some_token_is_good(const struct daemon *d, const char *address, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct read_tokens all;
	if (!read_tokens(d->reader, &scratch, &all, e)) return false;
	for (size_t i = 0; i < all.n; i++)
		if (!all.p[i].revoked_ms && (!all.p[i].expires_ms || all.p[i].expires_ms > d->started_ms))
			return true;
	return err_set(e, ERR_INVALID,
	               "%s is reachable from other machines, and no token is good, so nobody could "
	               "use it from there: start weir without --listen, make one with `weir token "
	               "create NAME`, and start it again",
	               address);
}

// Off loopback weir refuses to start open: TLS or a proxy that is trusted, and tokens in either
// case.
static bool check_exposure(const struct daemon *d, const struct serve_options *o,
                           const char *address, struct err *e) {
	struct str a = str_of(address);
	bool loopback = str_starts(a, STR("127.")) || str_starts(a, STR("[::1]:")) ||
	                str_starts(a, STR("localhost:"));
	if (loopback) return true;
	if (o->tls_cert || o->trusted_proxy) return some_token_is_good(d, address, e);
	return err_set(e, ERR_INVALID,
	               "%s is reachable from other machines: add --tls-cert and --tls-key, or "
	               "--trusted-proxy with the "
	               "address of the proxy that does TLS, or listen on 127.0.0.1",
	               address);
}

// The public URL is a name and nothing behind it: paths of pages and of the API begin at the root.
static bool check_public_url(const char *url, struct err *e) {
	struct str text = str_of(url), rest = STR_NONE;
	if (!url) return true;
	if (str_starts(text, STR("https://"))) rest = str_from(text, 8);
	if (str_starts(text, STR("http://"))) rest = str_from(text, 7);
	if (rest.n && rest.n < 200 && str_find_char(rest, '/') == rest.n) return true;
	return err_set(e, ERR_INVALID,
	               "--public-url \"%s\" is no scheme and name; write https://weir.example.org",
	               url);
}

// As peers are written, so that they can be compared.
static bool proxy_address(const char *text, char out[INET6_ADDRSTRLEN], struct err *e) {
	unsigned char binary[16];
	int family = text && strchr(text, ':') ? AF_INET6 : AF_INET;
	if (!text) return true;
	if (inet_pton(family, text, binary) == 1 && inet_ntop(family, binary, out, INET6_ADDRSTRLEN))
		return true;
	return err_set(e, ERR_INVALID,
	               "--trusted-proxy \"%s\" is no IP address; give the one that the proxy's "
	               "connections come from, as 10.0.0.7",
	               text);
}

static bool read_pem(const char *path, struct buf *out, struct err *e) {
	if (!path) return true;
	return file_read(path, PEM_MAX, out, e);
}

bool host_open(struct daemon *d, const struct serve_options *o, struct host **out, struct err *e) {
	AUTO_BUF cert = {0};
	AUTO_BUF key = {0};
	AUTO_BUF url = {0};
	AUTO_ARENA scratch = {0};
	const char *address = o->listen ? o->listen : "127.0.0.1:8420";
	struct web_options web = {.public_url = o->public_url};
	char proxy[INET6_ADDRSTRLEN];
	if (!check_public_url(o->public_url, e) || !proxy_address(o->trusted_proxy, proxy, e))
		return false;
	if ((o->tls_cert != NULL) != (o->tls_key != NULL))
		return err_set(e, ERR_INVALID, "--tls-cert and --tls-key go together");
	if (!check_exposure(d, o, address, e) || !read_pem(o->tls_cert, &cert, e) ||
	    !read_pem(o->tls_key, &key, e))
		return false;
	if (!web_listen(address, &web.listen_fd, e)) return false;
	web.tls_cert = o->tls_cert ? cert.p : NULL;
	web.tls_key = o->tls_key ? key.p : NULL;
	web_url_of(web.listen_fd, o->tls_cert != NULL, &url);
	snprintf(d->url, sizeof d->url, "%s", url.p);
	snprintf(d->public_url, sizeof d->public_url, "%s", o->public_url ? o->public_url : url.p);
	struct host *h = calloc(1, sizeof *h);
	if (!h) abort();
	h->daemon = d;
	h->spool = daemon_path(d, &h->life, "tmp");
	web.spool = h->spool.p;
	struct api_host door = {0};
	struct web_git git = githttp_fill(d);
	if (o->trusted_proxy) web.trusted_proxy = arena_cstr(&h->life, str_of(proxy));
	bool ok = object_store_open(d->data, &h->objects, e);
	if (ok) door_fill(d, h->objects, &door);
	ok = ok && web_open(d->loop, &web, &door, &git, &h->web, e);
	if (!ok) {
		if (o->tls_cert) (void)err_context(e, "%s with %s", o->tls_cert, o->tls_key);
		object_store_close(&h->objects);
		arena_free(&h->life);
		free(h);
		return false;
	}
	struct err full; // a full disk does not keep weir from being asked what is wrong
	if (!file_write_atomic(daemon_path(d, &scratch, "url").p, str_of(d->url), 0644, &full))
		note(NOTE_WARN, "%s", full.text);
	*out = h;
	return true;
}

void host_withdraw(struct host *h) {
	AUTO_ARENA scratch = {0};
	if (h) unlink(daemon_path(h->daemon, &scratch, "url").p);
}

void host_close(struct host *h) {
	if (!h) return;
	host_withdraw(h);
	web_close(&h->web);
	object_store_close(&h->objects);
	arena_free(&h->life);
	free(h);
}

void host_notify(struct host *h, uint64_t seq) {
	(void)seq;
	if (h) web_notify(h->web);
}
