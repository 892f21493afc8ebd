#include "git/receive.h"

#include "base/json.h"
#include "git/pkt.h"
#include "git/repo.h"

enum { TEXT_OPTION_MAX = 500, KNOWN_MAX = 10 };

static bool take_commands(const struct json *list, struct arena *life, struct git_push *out) {
	size_t n = json_length(list);
	if (json_kind(list) != JSON_KIND_ARRAY || n == 0) return false;
	out->commands = ARENA_ARRAY(life, struct git_push_command, n);
	for (size_t i = 0; i < n; i++) {
		struct json *item = json_at(list, i);
		struct git_push_command *c = &out->commands[i];
		c->ref = arena_str(life, json_get_str(item, "ref"));
		if (c->ref.n == 0 || !oid_parse(json_get_str(item, "old"), &c->old) ||
		    !oid_parse(json_get_str(item, "new"), &c->new))
			return false;
	}
	out->command_count = n;
	return true;
}

bool git_receive_parse(struct str line, struct arena *life, struct git_push *out, struct err *e) {
	AUTO_JSON root = NULL;
	struct git_push push = {0};
	if (line.n > GIT_RECEIVE_LINE_MAX)
		return err_set(e, ERR_LIMIT, "a push request of more than %d bytes", GIT_RECEIVE_LINE_MAX);
	if (!json_parse(line, &root, e)) return err_context(e, "push request");
	if (json_get_int(root, "version", 0) != 1)
		return err_set(e, ERR_INVALID, "push request of another version of weir-hook");
	struct json *options = json_get(root, "options");
	push.repo = arena_str(life, json_get_str(root, "repo"));
	push.via = arena_str(life, json_get_str(root, "via"));
	push.pusher = arena_str(life, json_get_str(root, "pusher"));
	push.pipeline = json_get_bool(root, "pipeline", false);
	push.uid = json_get_int(root, "uid", -1);
	push.option_count = json_length(options);
	push.options = ARENA_ARRAY(life, struct str, push.option_count + 1);
	for (size_t i = 0; i < push.option_count; i++)
		push.options[i] = arena_str(life, json_str(json_at(options, i)));
	if (push.repo.n == 0 || !take_commands(json_get(root, "commands"), life, &push))
		return err_set(e, ERR_INVALID, "push request without a repository or commands");
	*out = push;
	return true;
}

static bool plain_word(struct str s, size_t most) {
	if (!s.p || s.n == 0 || s.n > most) return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f) return false;
	return true;
}

bool git_receive_options(const struct git_push *push, struct git_push_options *out, struct err *e) {
	struct git_push_options o = {0};
	for (size_t i = 0; i < push->option_count; i++) {
		struct str value = push->options[i], name = str_cut(&value, '=');
		bool has_value = value.p != NULL;
		if (str_eq(name, STR("draft"))) {
			bool no = str_eq(value, STR("false"));
			if (has_value && !no && !str_eq(value, STR("true")))
				return err_set(e, ERR_INVALID, "push option draft is true or false");
			o.draft = !no;
		} else if (str_eq(name, STR("topic"))) {
			if (!plain_word(value, 200))
				return err_set(e, ERR_INVALID,
				               "push option topic=WORD: at most 200 bytes, no blanks");
			o.topic = value;
		} else if (str_eq(name, STR("title"))) {
			if (value.n == 0 || value.n > TEXT_OPTION_MAX)
				return err_set(e, ERR_INVALID, "push option title=TEXT: at most %d bytes",
				               TEXT_OPTION_MAX);
			o.title = value;
		} else if (str_eq(name, STR("priority"))) {
			if (!plain_word(value, 20))
				return err_set(e, ERR_INVALID, "push option priority=LEVEL: one word");
			o.priority = value;
		} else {
			AUTO_BUF quoted = {0};
			buf_json(&quoted, str_slice(name, 0, name.n < 60 ? name.n : 60));
			return err_set(e, ERR_INVALID,
			               "unknown push option %s; there are topic=, title=, priority= and draft",
			               quoted.p);
		}
	}
	*out = o;
	return true;
}

static bool is_head(struct str branch, const struct git_ref *heads, size_t count) {
	struct str prefix = STR("refs/heads/");
	for (size_t i = 0; i < count; i++)
		if (str_starts(heads[i].name, prefix) && str_eq(str_from(heads[i].name, prefix.n), branch))
			return true;
	return false;
}

static bool unknown_branch(struct str branch, struct str trunk, const struct git_ref *heads,
                           size_t count, struct err *e) {
	AUTO_BUF known = {0}, quoted = {0};
	buf_json(&quoted, branch);
	for (size_t i = 0; i < count && i < KNOWN_MAX; i++)
		buf_printf(&known, "%s" STR_FMT, i ? ", " : "",
		           STR_ARG(str_from(heads[i].name, strlen("refs/heads/"))));
	if (count > KNOWN_MAX) buf_printf(&known, " and %zu more", count - KNOWN_MAX);
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no branch %s; trunk will be " STR_FMT, quoted.p,
		               STR_ARG(trunk));
	return err_set(e, ERR_NOT_FOUND, "there is no branch %s; there is %s", quoted.p, known.p);
}

// "main" or "main/topic": the longest branch that exists wins.
static bool aim_for(struct str rest, struct str trunk, const struct git_ref *heads, size_t count,
                    struct git_push_aim *out, struct err *e) {
	struct git_push_aim aim = {.kind = GIT_PUSH_CHANGE};
	for (size_t end = rest.n;; end--) {
		bool part = end == rest.n || (end > 0 && rest.p[end] == '/');
		struct str branch = str_slice(rest, 0, end);
		bool exists = part && is_head(branch, heads, count);
		aim.unborn = part && !exists && str_eq(branch, trunk);
		if (exists || aim.unborn) {
			aim.branch = branch;
			aim.topic = end < rest.n ? str_from(rest, end + 1) : STR_NONE;
			*out = aim;
			return true;
		}
		if (end == 0) return unknown_branch(rest, trunk, heads, count, e);
	}
}

bool git_receive_aim(const struct git_push_command *command, struct str trunk,
                     const struct git_ref *heads, size_t head_count, struct git_push_aim *out,
                     struct err *e) {
	struct str ref = command->ref, prefix = STR("refs/for/"), direct = STR("refs/heads/");
	bool changes = str_starts(ref, prefix), branches = str_starts(ref, direct);
	struct str rest = changes ? str_from(ref, prefix.n) : branches ? str_from(ref, direct.n) : ref;
	if (!git_repo_branch_ok(rest)) {
		AUTO_BUF quoted = {0};
		buf_json(&quoted, rest);
		return err_set(e, ERR_INVALID,
		               "weir takes no name like %s: letters, digits and . _ - / + @ # only",
		               quoted.p);
	}
	if (oid_is_none(command->new))
		return err_set(e, ERR_DENIED, "nothing is deleted by a push; withdraw a change with weir");
	if (changes) return aim_for(rest, trunk, heads, head_count, out, e);
	if (branches && str_eq(rest, trunk) && !is_head(rest, heads, head_count)) {
		*out = (struct git_push_aim){.kind = GIT_PUSH_FIRST, .branch = rest, .unborn = true};
		return true;
	}
	if (branches && is_head(rest, heads, head_count))
		return err_set(e, ERR_DENIED,
		               STR_FMT " moves only by weir; use: git push weir HEAD:refs/for/" STR_FMT,
		               STR_ARG(rest), STR_ARG(rest));
	return err_set(e, ERR_DENIED,
	               "only changes are taken; use: git push weir HEAD:refs/for/" STR_FMT,
	               STR_ARG(trunk));
}

// Adds one packet; a text that is too long for one, or has line ends, is cut there.
static void packet(struct buf *answer, const char *verb, struct str text) {
	enum { TEXT_MAX = 1000 };
	char head[GIT_PKT_HEAD + 1];
	size_t end = str_find_char(text, '\n');
	text = str_slice(text, 0, end < TEXT_MAX ? end : TEXT_MAX);
	git_pkt_head(strlen(verb) + text.n, head);
	buf_cstr(answer, head);
	buf_cstr(answer, verb);
	buf_str(answer, text);
}

void git_receive_say(struct buf *answer, struct str text) {
	while (text.p) packet(answer, "m ", str_cut(&text, '\n'));
}

void git_receive_ok(struct buf *answer) {
	packet(answer, "ok", STR_NONE);
}

void git_receive_ok_as(struct buf *answer, struct str ref, struct oid oid) {
	AUTO_BUF text = {0};
	char hex[OID_HEX_MAX + 1];
	oid_hex(oid, hex);
	buf_str(&text, ref);
	buf_printf(&text, " %s", hex);
	packet(answer, "ok ", buf_view(&text));
}

void git_receive_refuse(struct buf *answer, struct str reason) {
	packet(answer, "ng ", reason.n ? reason : STR("refused"));
}

void git_receive_end(struct buf *answer) {
	buf_cstr(answer, "0000");
}
