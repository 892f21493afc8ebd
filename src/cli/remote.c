#include "cli/remote.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "os/file.h"

enum { ANSWER_BYTES_MAX = 64 << 20, CONNECT_MS = 5000, ANSWER_MS = 60000 };

struct remote {
	struct arena *life;
	CURL *curl;
	const char *url, *token;
	bool local;
	char why[CURL_ERROR_SIZE];
};

// ---- which server

bool remote_is_loopback(struct str url) {
	size_t scheme = str_find(url, STR("://"));
	if (scheme == url.n) return false;
	struct str host = str_from(url, scheme + 3);
	host = str_slice(host, 0, str_find_char(host, '/'));
	if (str_find_char(host, '@') < host.n) return false; // 127.0.0.1@elsewhere
	if (str_starts(host, STR("[::1]"))) return host.n == 5 || host.p[5] == ':';
	host = str_slice(host, 0, str_find_char(host, ':'));
	if (str_eq(host, STR("localhost"))) return true;
	int parts = 0;
	for (struct str rest = host; rest.p; parts++) {
		uint64_t n;
		struct str part = str_cut(&rest, '.');
		if (!str_to_u64(part, &n) || n > 255 || (parts == 0 && n != 127)) return false;
	}
	return parts == 4;
}

static const char *tidy_url(struct arena *life, struct str text) {
	text = str_trim(text);
	while (text.n && text.p[text.n - 1] == '/') text.n--;
	return arena_cstr(life, text);
}

static const char *first_line(struct arena *life, const char *path) {
	AUTO_BUF text = {0};
	struct err ignored;
	if (!file_read(path, 4096, &text, &ignored)) return NULL;
	struct str rest = buf_view(&text), line = str_trim(str_cut(&rest, '\n'));
	return line.n ? arena_cstr(life, line) : NULL;
}

// The .weir/url of this folder or the nearest above.
static const char *find_here(struct arena *life) {
	char folder[4096];
	if (!getcwd(folder, sizeof folder)) return NULL;
	for (;;) {
		const char *url = first_line(life, arena_printf(life, "%s/.weir/url", folder).p);
		if (url) return url;
		char *slash = strrchr(folder, '/');
		if (!slash || folder[1] == 0) return NULL;
		slash[slash == folder ? 1 : 0] = 0;
	}
}

static const char *find_token(struct arena *life, bool from_checkout) {
	const char *token = getenv("WEIR_TOKEN"), *config = getenv("XDG_CONFIG_HOME"),
			   *home = getenv("HOME");
	if (token && *token) return token;
	if (from_checkout) return NULL;
	if (config && *config) return first_line(life, arena_printf(life, "%s/weir/token", config).p);
	return home ? first_line(life, arena_printf(life, "%s/.config/weir/token", home).p) : NULL;
}

static bool find_server(struct remote *r, struct err *e) {
	const char *given = getenv("WEIR_URL"), *here = NULL;
	if (!given || !*given) given = NULL;
	if (!given) here = find_here(r->life);
	r->url = tidy_url(r->life, str_of(given ? given : here ? here : REMOTE_DEFAULT_URL));
	r->local = remote_is_loopback(str_of(r->url));
	if (!str_starts(str_of(r->url), STR("http://")) && !str_starts(str_of(r->url), STR("https://")))
		return err_set(e, ERR_INVALID, "%s \"%s\" is no address such as " REMOTE_DEFAULT_URL,
		               given ? "WEIR_URL" : ".weir/url", r->url);
	if (here && !r->local)
		return err_set(e, ERR_DENIED,
		               ".weir/url names %s, another machine; set WEIR_URL to it if you trust it",
		               r->url);
	r->token = find_token(r->life, here != NULL);
	return true;
}

bool remote_open(struct arena *life, struct remote **out, struct err *e) {
	struct remote *r = ARENA_NEW(life, struct remote);
	r->life = life;
	if (!find_server(r, e)) return false;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r->curl = curl_easy_init();
	if (!r->curl) abort();
	*out = r;
	return true;
}

void remote_close(struct remote *r) {
	if (r) curl_easy_cleanup(r->curl);
}

const char *remote_url(const struct remote *r) {
	return r->url;
}

// ---- a request

static void add_path(const struct operation *o, const struct str *values, struct buf *out) {
	for (struct str rest = str_of(o->path); rest.p && rest.n;) {
		size_t open = str_find_char(rest, '{');
		buf_str(out, str_slice(rest, 0, open));
		rest = str_from(rest, open);
		if (!rest.n) break;
		size_t close = str_find_char(rest, '}');
		ptrdiff_t index = operation_param_index(o, str_slice(rest, 1, close));
		if (index >= 0) buf_url(out, values[index]);
		rest = str_from(rest, close + 1);
	}
	char join = '?';
	for (size_t i = 0; i < o->param_count; i++) {
		if (o->params[i].in != OPERATION_IN_QUERY || !values[i].p) continue;
		buf_printf(out, "%c%s=", join, o->params[i].name);
		buf_url(out, values[i]);
		join = '&';
	}
}

static void add_body(const struct operation *o, const struct str *values, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	for (size_t i = 0; i < o->param_count; i++) {
		const struct operation_param *p = &o->params[i];
		if (p->in != OPERATION_IN_BODY || !values[i].p) continue;
		jsonw_key(&w, p->name);
		int64_t number = 0;
		if (p->type == OPERATION_TYPE_INT && str_to_i64(values[i], &number)) jsonw_int(&w, number);
		else if (p->type == OPERATION_TYPE_FLAG) jsonw_bool(&w, str_eq(values[i], STR("true")));
		else jsonw_str(&w, values[i]);
	}
	jsonw_object_end(&w);
}

void remote_request(const struct operation *o, const struct str *values, struct buf *path,
                    struct buf *body) {
	add_path(o, values, path);
	if (strcmp(o->method, "GET") != 0) add_body(o, values, body);
}

// ---- an answer

static enum err_code code_of(long status) {
	static const enum err_code codes[] = {ERR_INVALID,     ERR_DENIED, ERR_NOT_FOUND,
	                                      ERR_CONFLICT,    ERR_LIMIT,  ERR_UNSUPPORTED,
	                                      ERR_UNAVAILABLE, ERR_BUSY,   ERR_TIMEOUT};
	if (status == 401) return ERR_DENIED;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (err_http_status(codes[i]) == status) return codes[i];
	return status >= 500 ? ERR_IO : ERR_INVALID;
}

// A refusal is a negative answer (1) even where the same code would be a usage error here.
static enum err_code negative(enum err_code code) {
	return code == ERR_UNAVAILABLE ? ERR_BUSY : code;
}

void remote_error(long status, struct str body, struct arena *life, const char **next,
                  struct err *e) {
	AUTO_JSON answer = NULL;
	struct err ignored;
	*next = NULL;
	const struct json *error = NULL;
	if (json_parse(body, &answer, &ignored)) error = json_get(answer, "error");
	struct str text = json_get_str(error, "text"), advice = json_get_str(error, "next");
	if (!text.n) {
		err_set(e, negative(code_of(status)), "the server answered %ld", status);
		return;
	}
	err_set(e, negative(code_of(status)), STR_FMT, STR_ARG(text));
	if (advice.n) *next = arena_cstr(life, advice);
}

struct flow {
	struct remote *r;
	struct buf kept; // the whole answer, or that of a refusal
	remote_take *take;
	void *context;
	bool stopped, too_large;
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *context) {
	struct flow *f = context;
	long status = 0;
	n *= size;
	curl_easy_getinfo(f->r->curl, CURLINFO_RESPONSE_CODE, &status);
	if (f->take && status < 300) {
		f->stopped = !f->take(f->context, (struct str){bytes, n});
		return f->stopped ? 0 : n;
	}
	f->too_large = f->kept.n + n > ANSWER_BYTES_MAX;
	if (f->too_large) return 0;
	buf_add(&f->kept, bytes, n);
	return n;
}

static struct curl_slist *headers_of(struct remote *r) {
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
	list = curl_slist_append(list, "Expect:");
	if (r->token) {
		const char *line = arena_printf(r->life, "Authorization: Bearer %s", r->token).p;
		list = curl_slist_append(list, line);
	}
	if (!list) abort();
	return list;
}

static bool no_server(struct remote *r, CURLcode code, const char **next, struct err *e) {
	bool refused = code == CURLE_COULDNT_CONNECT;
	const char *why = refused     ? "connection refused"
	                  : r->why[0] ? r->why
	                              : curl_easy_strerror(code);
	*next = "Start one here with `weir serve`, or set `WEIR_URL`";
	if (code == CURLE_OPERATION_TIMEDOUT) *next = "See on its machine what it does: `weir doctor`";
	return err_set(e, ERR_UNAVAILABLE, "no server at %s (%s)", r->url, why);
}

static CURLcode perform(struct remote *r, enum operation_id id, const struct str *values,
                        struct flow *f, long *status) {
	const struct operation *o = operation_at(id);
	AUTO_BUF path = {0}, body = {0};
	remote_request(o, values, &path, &body);
	const char *address = arena_printf(r->life, "%s%s", r->url, path.p).p;
	struct curl_slist *headers = headers_of(r);
	CURL *c = r->curl;
	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, address);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	// What curl itself and OpenSSL listen to, and libcurl does not: a certificate of one's own.
	if (getenv("SSL_CERT_FILE")) curl_easy_setopt(c, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, r->why);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "weir");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	if (!f->take) curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
	if (r->local) curl_easy_setopt(c, CURLOPT_NOPROXY, "*"); // http_proxy cannot reach it
	if (strcmp(o->method, "GET") != 0) {
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, o->method);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p ? body.p : "");
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)body.n);
	}
	r->why[0] = 0;
	CURLcode code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(headers);
	return code;
}

static bool talk(struct remote *r, enum operation_id id, const struct str *values, struct flow *f,
                 const char **next, struct err *e) {
	long status = 0;
	*next = NULL;
	CURLcode code = perform(r, id, values, f, &status);
	if (f->stopped) return true;
	if (f->too_large) return err_set(e, ERR_LIMIT, "the answer is larger than 64 MB");
	if (code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR) {
		*next = "Ask again: it may be starting anew";
		return err_set(e, ERR_UNAVAILABLE, "the server at %s ended the connection", r->url);
	}
	if (code != CURLE_OK) return no_server(r, code, next, e);
	if (status >= 200 && status < 300) return true;
	remote_error(status, buf_view(&f->kept), r->life, next, e);
	return false;
}

bool remote_ask(struct remote *r, enum operation_id id, const struct str *values, struct buf *body,
                const char **next, struct err *e) {
	struct flow f = {.r = r};
	bool ok = talk(r, id, values, &f, next, e);
	if (ok) buf_str(body, buf_view(&f.kept));
	buf_free(&f.kept);
	return ok;
}

bool remote_stream(struct remote *r, enum operation_id id, const struct str *values,
                   remote_take *take, void *context, const char **next, struct err *e) {
	struct flow f = {.r = r, .take = take, .context = context};
	bool ok = talk(r, id, values, &f, next, e);
	buf_free(&f.kept);
	return ok;
}
