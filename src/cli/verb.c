#include "cli/verb.h"

#include <stdio.h>

#include "base/clocktext.h"
#include "cli/verbs.h"

// ---- the command of a row

// "weir repo add NAME [PATH|URL] --x": the name is all words of small letters behind weir, what
// follows it until an option are the words.
static void split(const char *cli, struct arena *life, const char **name, const char **words) {
	struct str rest = str_of(cli), all = str_of(cli);
	(void)str_cut(&rest, ' '); // weir
	const char *start = rest.p;
	while (rest.p && rest.n && rest.p[0] >= 'a' && rest.p[0] <= 'z') (void)str_cut(&rest, ' ');
	size_t options = rest.p ? str_find(rest, STR("--")) : 0;
	const char *end = rest.p ? rest.p : all.p + all.n;
	*name = arena_cstr(life, str_trim((struct str){start, (size_t)(end - start)}));
	*words = arena_cstr(life, rest.p ? str_trim(str_slice(rest, 0, options)) : STR_NONE);
}

static bool is_time(const struct operation_param *p) {
	return p->type == OPERATION_TYPE_INT && str_ends(str_of(p->name), STR("_ms"));
}

// "[PATH|URL]" is the parameter `source`; else a word is its parameter in capitals.
static struct str param_word(const struct operation_param *p, struct arena *life) {
	if (!strcmp(p->name, "source")) return STR("PATH|URL");
	char *out = arena_cstr(life, str_of(p->name));
	for (char *c = out; *c; c++)
		if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
	return str_of(out);
}

// Position of the parameter among the command's words, -1 = it is an option.
static int word_of(const struct operation_param *p, const char *words, struct arena *life) {
	struct str wanted = param_word(p, life), rest = str_of(words);
	for (int at = 0; rest.p && rest.n; at++) {
		struct str word = str_cut(&rest, ' ');
		if (str_starts(word, STR("["))) word = str_slice(word, 1, word.n - 1);
		if (str_eq(word, wanted)) return at;
	}
	return -1;
}

static const char *option_name(const struct operation_param *p, struct arena *life) {
	struct str name = str_of(p->name);
	return arena_cstr(life, is_time(p) ? str_slice(name, 0, name.n - 3) : name);
}

static struct args_option option_of(const struct operation_param *p, struct arena *life) {
	struct args_option o = {.name = option_name(p, life), .help = p->doc};
	if (p->type == OPERATION_TYPE_FLAG) o.letter = !strcmp(p->name, "follow") ? 'f' : 0;
	else
		o.value = is_time(p)                          ? "DURATION"
		          : operation_type_is_number(p->type) ? "N"
		                                              : param_word(p, life).p;
	return o;
}

static bool among(const struct args_option *list, const char *name) {
	for (; list && list->name; list++)
		if (!strcmp(list->name, name)) return true;
	return false;
}

static const struct args_option *options_of(const struct verb *v, const struct operation *o,
                                            const char *words, struct arena *life) {
	size_t more = 0, n = 0;
	while (v->more && v->more[more].name) more++;
	struct args_option *out = ARENA_ARRAY(life, struct args_option, o->param_count + more + 2);
	for (size_t i = 0; i < o->param_count; i++) {
		if (word_of(&o->params[i], words, life) >= 0) continue;
		if (among(v->more, option_name(&o->params[i], life))) continue; // said otherwise there
		if (!strcmp(o->params[i].name, "value")) continue; // a secret is never an argument
		out[n++] = option_of(&o->params[i], life);
	}
	for (size_t i = 0; i < more; i++) out[n++] = v->more[i];
	if (o->answer == OPERATION_JSON || o->answer == OPERATION_LINES)
		out[n++] = (struct args_option)CLI_OPTION_JSON;
	return out;
}

bool verb_command(const struct verb *v, struct arena *life, struct cli_command *out) {
	const struct operation *o = operation_at(v->id);
	if (!o->cli[0]) return false;
	*out = (struct cli_command){
		.group = v->group, .completes = v->completes, .about = v->about, .run = v->run};
	split(o->cli, life, &out->name, &out->words);
	char *brief = arena_cstr(life, str_of(o->doc));
	if (brief[0] >= 'a' && brief[0] <= 'z') brief[0] = (char)(brief[0] - 32);
	out->brief = brief;
	for (struct str rest = str_of(out->words); rest.p && rest.n; out->words_max++)
		if (!str_starts(str_cut(&rest, ' '), STR("["))) out->words_min++;
	out->options = options_of(v, o, out->words, life);
	if (!out->run) out->run = verbs_run;
	return true;
}

// ---- the values of a call

static bool read_value(struct cli *cli, const struct operation_param *p, struct str *out,
                       struct err *e) {
	const char *name = option_name(p, cli->life);
	int word = word_of(p, cli->command->words, cli->life);
	const char *text = word >= 0 ? cli_word(cli, (size_t)word) : cli_value(cli, name);
	if (p->type == OPERATION_TYPE_FLAG) {
		if (cli_has(cli, name)) *out = STR("true");
		return true;
	}
	if (is_time(p)) {
		int64_t ms = 0;
		if (!args_duration(&cli->args, name, &ms, e)) return false;
		if (text) *out = arena_printf(cli->life, "%lld", (long long)ms);
		return true;
	}
	int64_t number;
	*out = str_of(text);
	if (!operation_type_is_number(p->type)) {
		if (word < 0 || !text || text[0]) return true;
		return err_set(e, ERR_INVALID, "%s is empty: give %s", name, p->doc);
	}
	if (!text) return true;
	if (word >= 0 && text[0] == '#') *out = str_of(text + 1); // as it is shown
	if (str_to_i64(*out, &number) && number >= 0) return true;
	if (word >= 0) return err_set(e, ERR_INVALID, "\"%s\" is no %s", text, p->doc);
	return err_set(e, ERR_INVALID, "--%s takes a number, not \"%s\"", name, text);
}

// A repository that the address needs and nobody named: the only one there is.
static bool only_repo(struct cli *cli, struct remote *r, struct str *out, struct err *e) {
	AUTO_BUF body = {0};
	AUTO_JSON answer = NULL;
	const char *next;
	struct str none[OPERATION_PARAMS_MAX] = {0};
	if (!remote_ask(r, OPERATION_REPOS, none, &body, &next, e)) return false;
	if (!json_parse(buf_view(&body), &answer, e)) return false;
	const struct json *list = json_get(answer, "repos");
	if (json_length(list) == 0)
		return err_set(e, ERR_NOT_FOUND,
		               "there is no repository yet; add one with `weir repo add NAME`");
	if (json_length(list) > 1)
		return err_set(e, ERR_INVALID,
		               "there are several repositories; say which with --repo NAME");
	*out = arena_str(cli->life, json_get_str(json_at(list, 0), "name"));
	return true;
}

bool verb_begin(struct cli *cli, enum operation_id id, struct verb_call *out, int *status) {
	struct err e = {0};
	*out = (struct verb_call){.operation = operation_at(id)};
	const struct operation *o = out->operation;
	for (size_t i = 0; i < o->param_count; i++) {
		if (read_value(cli, &o->params[i], &out->values[i], &e)) continue;
		*status = cli_usage(cli, "%s", e.text);
		return false;
	}
	if (!remote_open(cli->life, &out->remote, &e)) {
		*status = cli_fail(cli, &e, NULL);
		return false;
	}
	for (size_t i = 0; i < o->param_count; i++) {
		const struct operation_param *p = &o->params[i];
		if (!p->required || out->values[i].p || !strcmp(p->name, "value")) continue;
		if (!strcmp(p->name, "repo") && only_repo(cli, out->remote, &out->values[i], &e)) continue;
		if (strcmp(p->name, "repo") != 0)
			*status = cli_usage(cli, "weir %s needs --%s: %s", cli->command->name,
			                    option_name(p, cli->life), p->doc);
		else
			*status = cli_fail(cli, &e,
			                   e.code == ERR_UNAVAILABLE
			                       ? "Start one here with `weir serve`, or set `WEIR_URL`"
			                       : NULL);
		verb_end(out);
		return false;
	}
	return true;
}

void verb_end(struct verb_call *call) {
	remote_close(call->remote);
	call->remote = NULL;
}

bool verb_ask(struct cli *cli, struct verb_call *call, struct buf *body, struct json **owned,
              int *status) {
	struct err e = {0};
	const char *next = NULL;
	if (!remote_ask(call->remote, call->operation->id, call->values, body, &next, &e)) {
		*status = cli_fail(cli, &e, next);
		return false;
	}
	if (call->operation->answer != OPERATION_JSON || json_parse(buf_view(body), owned, &e))
		return true;
	err_context(&e, "the server's answer is no JSON");
	*status = cli_fail(cli, &e, NULL);
	return false;
}

static bool print_piece(void *context, struct str bytes) {
	(void)context;
	cli_out(bytes);
	return true;
}

int verb_run(struct cli *cli, const struct verb *v) {
	struct verb_call call;
	int status = 0;
	if (!verb_begin(cli, v->id, &call, &status)) return status;
	struct err e = {0};
	const char *next = NULL;
	if (call.operation->answer != OPERATION_JSON) {
		if (!remote_stream(call.remote, v->id, call.values, print_piece, NULL, &next, &e))
			status = cli_fail(cli, &e, next);
		verb_end(&call);
		return status;
	}
	AUTO_BUF body = {0};
	AUTO_JSON answer = NULL;
	if (verb_ask(cli, &call, &body, &answer, &status)) {
		if (cli_has(cli, "json") || !v->show) {
			if (body.n && body.p[body.n - 1] != '\n') buf_char(&body, '\n');
			cli_out(buf_view(&body));
		} else {
			AUTO_INK out = cli_ink(cli);
			status = v->show(cli, answer, &out);
			cli_print(&out);
		}
	}
	verb_end(&call);
	return status;
}
