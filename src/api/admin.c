// Operations on tokens, secrets, keys and webhooks. No secret of any of them ever comes out again.
#include "api/call.h"
#include "os/clock.h"

enum { TOKEN_BYTES = 32, TOKEN_DAYS_MAX = 3650, SECRET_MAX = 64 << 10, NAME_MAX_BYTES = 100 };

static void fail(struct call *c, enum err_code code, const char *text, const char *next) {
	struct err e = {0};
	err_set(&e, code, "%s", text);
	call_fail(c, &e, next);
}

// 1 to 100 of letters, digits and . _ -, for names that stand in URLs and files.
static bool name_ok(struct call *c) {
	struct str name = call_text(c, "name");
	bool ok = name.n && name.n <= NAME_MAX_BYTES;
	for (size_t i = 0; ok && i < name.n; i++) {
		char b = name.p[i];
		ok = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
		     (i && (b == '.' || b == '-')) || b == '_';
	}
	if (!ok)
		fail(c, ERR_INVALID,
		     "a name has 1 to 100 letters, digits and . _ - and begins with none of . -", NULL);
	return ok;
}

static void finish_name(struct call *c, const struct event *applied) {
	(void)applied;
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key_s(w, "name", call_text(c, "name"));
	jsonw_object_end(w);
	call_finish(c);
}

static struct jsonw *begin_list(struct call *c, const char *key) {
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, key);
	jsonw_array(w);
	return w;
}

static void finish_list(struct call *c) {
	jsonw_array_end(&c->w);
	jsonw_object_end(&c->w);
	call_finish(c);
}

static bool read_ok(struct call *c, bool ok, const struct err *e) {
	if (!ok) call_fail(c, e, NULL);
	return ok;
}

// ---------------------------------------------------------------- tokens

void admin_tokens(struct call *c) {
	struct err e = {0};
	struct read_tokens list;
	if (!read_ok(c, read_tokens(c->store, &c->life, &list, &e), &e)) return;
	struct jsonw *w = begin_list(c, "tokens");
	for (size_t i = 0; i < list.n; i++) {
		const struct read_token *t = &list.p[i];
		jsonw_object(w);
		jsonw_key_t(w, "created", t->created_ms);
		jsonw_key_t(w, "expires", t->expires_ms);
		jsonw_key_s(w, "name", t->name);
		jsonw_key_t(w, "revoked", t->revoked_ms);
		jsonw_key_s(w, "scopes", t->scopes);
		jsonw_object_end(w);
	}
	finish_list(c);
}

static void token_created(struct call *c, const struct event *applied) {
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key_t(w, "expires", applied ? applied->token_created.expires_ms : 0);
	jsonw_key_s(w, "name", call_text(c, "name"));
	jsonw_key_s(w, "scopes", call_text(c, "scopes"));
	jsonw_key_s(w, "token", c->identity.name); // the secret, put there by admin_token_create
	jsonw_object_end(w);
	call_finish(c);
}

static bool token_name_free(struct call *c) {
	struct err e = {0};
	struct read_tokens list;
	if (!read_ok(c, read_tokens(c->store, &c->life, &list, &e), &e)) return false;
	int64_t now = c->host->now_ms(c->host->context);
	for (size_t i = 0; i < list.n; i++) {
		const struct read_token *t = &list.p[i];
		if (!str_eq(t->name, call_text(c, "name")) || t->revoked_ms ||
		    (t->expires_ms && t->expires_ms <= now))
			continue;
		fail(c, ERR_CONFLICT, "a token of this name exists",
		     "revoke it first: weir token revoke NAME");
		return false;
	}
	return true;
}

static struct str scopes_text(struct call *c, unsigned scopes) {
	AUTO_BUF text = {0};
	operation_scopes_text(scopes, &text);
	return arena_str(&c->life, buf_view(&text));
}

void admin_token_create(struct call *c) {
	struct err e = {0};
	unsigned scopes;
	uint8_t random[TOKEN_BYTES];
	AUTO_BUF secret = {0};
	if (!name_ok(c) ||
	    !read_ok(c, operation_scopes_parse(call_text(c, "scopes"), &scopes, &e), &e) ||
	    !token_name_free(c))
		return;
	clock_random(random, sizeof random);
	buf_cstr(&secret, "weir_");
	buf_hex(&secret, random, sizeof random);
	int64_t days = call_int(c, "days", 90), now = c->host->now_ms(c->host->context);
	if (days > TOKEN_DAYS_MAX) {
		err_set(&e, ERR_INVALID, "a token is good for at most %d days, or with 0 for ever",
		        TOKEN_DAYS_MAX);
		call_fail(c, &e, NULL);
		return;
	}
	c->identity.name = arena_str(&c->life, buf_view(&secret));
	call_submit(c,
	            &(struct event){.kind = EVENT_TOKEN_CREATED,
	                            .token_created = {call_text(c, "name"), scopes_text(c, scopes),
	                                              digest_of(buf_view(&secret)),
	                                              days ? now + days * 86400000 : 0}},
	            token_created);
}

void admin_token_revoke(struct call *c) {
	struct err e = {0};
	struct read_tokens list;
	if (!read_ok(c, read_tokens(c->store, &c->life, &list, &e), &e)) return;
	for (size_t i = 0; i < list.n; i++) {
		if (!str_eq(list.p[i].name, call_text(c, "name")) || list.p[i].revoked_ms) continue;
		call_submit(
			c,
			&(struct event){.kind = EVENT_TOKEN_REVOKED, .token_revoked = {call_text(c, "name")}},
			finish_name);
		return;
	}
	fail(c, ERR_NOT_FOUND, "there is no such token", "weir token list names all of them");
}

// ---------------------------------------------------------------- secrets

void admin_secrets(struct call *c) {
	struct err e = {0};
	struct repo_id repo;
	struct read_secrets list;
	if (!call_repo(c, &repo) || !read_ok(c, read_secrets(c->store, repo, &c->life, &list, &e), &e))
		return;
	struct jsonw *w = begin_list(c, "secrets");
	for (size_t i = 0; i < list.n; i++) {
		jsonw_object(w);
		call_key_text(w, "by", list.p[i].by);
		jsonw_key_s(w, "name", list.p[i].name);
		jsonw_key_t(w, "set", list.p[i].set_ms);
		jsonw_object_end(w);
	}
	finish_list(c);
}

void admin_secret_set(struct call *c) {
	struct repo_id repo;
	if (!name_ok(c) || !call_repo(c, &repo)) return;
	if (call_text(c, "value").n > SECRET_MAX) {
		fail(c, ERR_LIMIT, "a secret has at most 64 kB", NULL);
		return;
	}
	c->applied = finish_name;
	c->host->secret_set(c->host->context, repo, call_text(c, "name"), call_text(c, "value"),
	                    c->identity.name, call_done, c);
}

void admin_secret_rm(struct call *c) {
	struct err e = {0};
	struct repo_id repo;
	struct read_secrets list;
	if (!call_repo(c, &repo) || !read_ok(c, read_secrets(c->store, repo, &c->life, &list, &e), &e))
		return;
	for (size_t i = 0; i < list.n; i++) {
		if (!str_eq(list.p[i].name, call_text(c, "name"))) continue;
		c->applied = finish_name;
		c->host->secret_set(c->host->context, repo, call_text(c, "name"), STR_NONE,
		                    c->identity.name, call_done, c);
		return;
	}
	fail(c, ERR_NOT_FOUND, "there is no such secret", "weir secret list names all of them");
}

// ---------------------------------------------------------------- keys

void admin_keys(struct call *c) {
	struct err e = {0};
	struct read_keys list;
	if (!read_ok(c, read_keys(c->store, &c->life, &list, &e), &e)) return;
	struct jsonw *w = begin_list(c, "keys");
	for (size_t i = 0; i < list.n; i++) {
		jsonw_object(w);
		jsonw_key_t(w, "added", list.p[i].added_ms);
		jsonw_key_s(w, "key", list.p[i].key);
		jsonw_key_s(w, "name", list.p[i].name);
		jsonw_key_s(w, "scopes", list.p[i].scopes);
		jsonw_object_end(w);
	}
	finish_list(c);
}

// "ssh-ed25519 AAAA... comment": one line, a known kind, base64. Options in front are not taken:
// they would reach authorized_keys.
static bool key_ok(struct str key) {
	struct str rest = str_trim(key), kind = str_cut(&rest, ' '), body = str_cut(&rest, ' ');
	bool known = str_starts(kind, STR("ssh-")) || str_starts(kind, STR("ecdsa-sha2-")) ||
	             str_starts(kind, STR("sk-"));
	if (!known || body.n < 40 || key.n > 16000 || !str_starts(body, STR("AAAA"))) return false;
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] < ' ' || key.p[i] == 0x7f) return false;
	return true;
}

// With the forced command for authorized_keys: only the server knows where its data is.
static void finish_key(struct call *c, const struct event *applied) {
	AUTO_BUF command = {0};
	(void)applied;
	buf_cstr(&command, "weir ssh-serve ");
	buf_str(&command, call_text(c, "name"));
	if (c->api->host.data) {
		buf_cstr(&command, " --data ");
		buf_shell(&command, str_of(c->api->host.data));
	}
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key_s(w, "command", buf_view(&command));
	jsonw_key_s(w, "name", call_text(c, "name"));
	jsonw_object_end(w);
	call_finish(c);
}

void admin_key_add(struct call *c) {
	struct err e = {0};
	unsigned scopes;
	struct str text = call_text(c, "scopes").n ? call_text(c, "scopes") : STR("read,propose");
	if (!name_ok(c) || !read_ok(c, operation_scopes_parse(text, &scopes, &e), &e)) return;
	if (!key_ok(str_trim(call_text(c, "key")))) {
		fail(c, ERR_INVALID, "this is no public SSH key",
		     "give the line of a .pub file: ssh-ed25519 AAAA...");
		return;
	}
	call_submit(c,
	            &(struct event){.kind = EVENT_KEY_ADDED,
	                            .key_added = {call_text(c, "name"), str_trim(call_text(c, "key")),
	                                          scopes_text(c, scopes)}},
	            finish_key);
}

void admin_key_rm(struct call *c) {
	struct err e = {0};
	struct read_keys list;
	if (!read_ok(c, read_keys(c->store, &c->life, &list, &e), &e)) return;
	for (size_t i = 0; i < list.n; i++) {
		if (!str_eq(list.p[i].name, call_text(c, "name"))) continue;
		call_submit(
			c, &(struct event){.kind = EVENT_KEY_REMOVED, .key_removed = {call_text(c, "name")}},
			finish_name);
		return;
	}
	fail(c, ERR_NOT_FOUND, "there is no such key", "weir key list names all of them");
}

// ---------------------------------------------------------------- webhooks

void admin_webhooks(struct call *c) {
	struct err e = {0};
	struct read_webhooks list;
	if (!read_ok(c, read_webhooks(c->store, &c->life, &list, &e), &e)) return;
	struct jsonw *w = begin_list(c, "webhooks");
	for (size_t i = 0; i < list.n; i++) {
		jsonw_object(w);
		jsonw_key_t(w, "added", list.p[i].added_ms);
		jsonw_key_s(w, "kinds", list.p[i].kinds);
		jsonw_key_s(w, "name", list.p[i].name);
		jsonw_key_i(w, "told_up_to", list.p[i].upto);
		jsonw_key_s(w, "url", list.p[i].url);
		jsonw_object_end(w);
	}
	finish_list(c);
}

static bool kinds_ok(struct str kinds) {
	for (struct str rest = kinds; rest.p;) {
		struct str kind = str_trim(str_cut(&rest, ','));
		if (!str_eq(kind, STR("landed")) && !str_eq(kind, STR("rejected")) &&
		    !str_eq(kind, STR("deployed")))
			return false;
	}
	return true;
}

void admin_webhook_add(struct call *c) {
	struct str url = call_text(c, "url"), kinds = call_text(c, "kinds");
	if (!kinds.n) kinds = STR("landed,rejected,deployed");
	if (!name_ok(c)) return;
	bool printable = url.n < 2000;
	for (size_t i = 0; i < url.n; i++)
		printable = printable && (unsigned char)url.p[i] > ' ' && url.p[i] != 0x7f;
	if (!printable || (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://"))))
		fail(c, ERR_INVALID, "url is no http or https URL", NULL);
	else if (!kinds_ok(kinds))
		fail(c, ERR_INVALID, "kinds are landed, rejected, deployed, with commas", NULL);
	else
		call_submit(c,
		            &(struct event){.kind = EVENT_WEBHOOK_ADDED,
		                            .webhook_added = {call_text(c, "name"), url, kinds}},
		            finish_name);
}

void admin_webhook_rm(struct call *c) {
	struct err e = {0};
	struct read_webhooks list;
	if (!read_ok(c, read_webhooks(c->store, &c->life, &list, &e), &e)) return;
	for (size_t i = 0; i < list.n; i++) {
		if (!str_eq(list.p[i].name, call_text(c, "name"))) continue;
		call_submit(c,
		            &(struct event){.kind = EVENT_WEBHOOK_REMOVED,
		                            .webhook_removed = {call_text(c, "name")}},
		            finish_name);
		return;
	}
	fail(c, ERR_NOT_FOUND, "there is no such webhook", "weir webhook list names all of them");
}
