#include "cli/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/grid.h"
#include "os/clock.h"
#include "os/file.h"

enum { VALUE_MAX = 60 };

const struct args_option feed_artifact_options[] = {
	{"output", 'o', "FILE", "write there instead of standard output", NULL}, {0}};

// ---- events

static void add_value(struct str key, const struct json *v, struct ink *out) {
	AUTO_BUF text = {0};
	switch (json_kind(v)) {
	case JSON_KIND_STRING: buf_str(&text, json_str(v)); break;
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT:
		if (!json_length(v)) return;
		buf_printf(&text, "%zu", json_length(v));
		break;
	case JSON_KIND_ABSENT:
	case JSON_KIND_NULL: return;
	case JSON_KIND_BOOL:
	case JSON_KIND_INT:
	case JSON_KIND_REAL:
	default: json_print(&text, v); break;
	}
	struct str s = buf_view(&text);
	size_t most = 0;
	if (!s.n) return;
	bool hex = s.n >= 40;
	for (size_t i = 0; i < s.n; i++) hex = hex && strchr("0123456789abcdef", s.p[i]);
	while (most < s.n && most < VALUE_MAX && s.p[most] != '\n') most++;
	ink_put(out, INK_QUIET, " " STR_FMT "=", STR_ARG(key));
	ink_str(out, INK_PLAIN, hex ? str_slice(s, 0, 7) : str_slice(s, 0, most));
}

void feed_event(struct str line, int64_t now_ms, struct ink *out) {
	AUTO_JSON event = NULL;
	struct err ignored;
	if (!json_parse(line, &event, &ignored)) return;
	AUTO_BUF when = {0};
	const struct json *body = json_get(event, "body"), *kind = json_get(event, "kind");
	struct str name = json_str(kind);
	grid_time(&when, grid_json_time(json_get(event, "time")), now_ms);
	ink_put(out, INK_QUIET, "%s %6lld ", when.p ? when.p : "",
	        (long long)json_get_int(event, "seq", 0));
	if (name.n) ink_str(out, INK_HEAD, name);
	else ink_put(out, INK_HEAD, "kind %lld", (long long)json_int(kind, 0));
	ink_put(out, INK_PLAIN, " " STR_FMT, STR_ARG(json_get_str(event, "entity")));
	struct str key;
	struct json *value;
	for (void *it = NULL; json_next(body, &it, &key, &value);) add_value(key, value, out);
	ink_end(out);
}

struct lines {
	struct cli *cli;
	struct buf rest;
};

static bool take_events(void *context, struct str bytes) {
	struct lines *l = context;
	buf_str(&l->rest, bytes);
	struct str rest = buf_view(&l->rest);
	AUTO_INK out = cli_ink(l->cli);
	for (size_t end; (end = str_find_char(rest, '\n')) < rest.n; rest = str_from(rest, end + 1))
		feed_event(str_slice(rest, 0, end), clock_wall_ms(), &out);
	cli_print(&out);
	AUTO_BUF kept = {0};
	buf_str(&kept, rest);
	buf_reset(&l->rest);
	buf_str(&l->rest, buf_view(&kept));
	return true;
}

static bool take_bytes(void *context, struct str bytes) {
	(void)context;
	cli_out(bytes);
	return true;
}

int feed_events(struct cli *cli) {
	struct verb_call call;
	int status = 0;
	struct err e = {0};
	const char *next = NULL;
	struct lines lines = {.cli = cli};
	if (!verb_begin(cli, OPERATION_EVENTS, &call, &status)) return status;
	remote_take *take = cli_has(cli, "json") ? take_bytes : take_events;
	if (!remote_stream(call.remote, OPERATION_EVENTS, call.values, take, &lines, &next, &e))
		status = cli_fail(cli, &e, next);
	buf_free(&lines.rest);
	verb_end(&call);
	return status;
}

// ---- a job's log: with its colours where there are some to show

int feed_log(struct cli *cli) {
	struct verb_call call;
	int status = 0;
	struct err e = {0};
	const char *next = NULL;
	if (!verb_begin(cli, OPERATION_JOB_LOG, &call, &status)) return status;
	ptrdiff_t format = operation_param_index(call.operation, STR("format"));
	if (format >= 0 && !call.values[format].p)
		call.values[format] = str_of(cli->colour ? "ansi" : "text");
	if (!remote_stream(call.remote, OPERATION_JOB_LOG, call.values, take_bytes, NULL, &next, &e))
		status = cli_fail(cli, &e, next);
	verb_end(&call);
	return status;
}

// ---- files of a release

struct target {
	int fd;
	struct err e;
};

static bool take_file(void *context, struct str bytes) {
	struct target *t = context;
	return file_write_all(t->fd, bytes, &t->e);
}

// A file that was cut short is not left under the name of a whole one.
int feed_artifact(struct cli *cli) {
	struct verb_call call;
	int status = 0;
	struct err e = {0};
	const char *next = NULL, *name = cli_value(cli, "output");
	const char *part = name ? arena_printf(cli->life, "%s.part", name).p : NULL;
	if (!name && cli->tty && !cli_word(cli, 1))
		return cli_usage(cli, "this would write a tar archive to the terminal; add -o FILE");
	if (!verb_begin(cli, OPERATION_ARTIFACT, &call, &status)) return status;
	AUTO_FD fd = part ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
	                  : dup(STDOUT_FILENO);
	struct target target = {.fd = fd};
	if (fd < 0) {
		err_set(&e, ERR_IO, "cannot write %s: %s", part ? part : "standard output",
		        strerror(errno));
		status = cli_fail(cli, &e, NULL);
	} else if (!remote_stream(call.remote, OPERATION_ARTIFACT, call.values, take_file, &target,
	                          &next, &e)) {
		status = cli_fail(cli, &e, next);
	} else if (target.e.code) {
		status = cli_fail(cli, &target.e, NULL);
	} else if (name && rename(part, name) != 0) {
		err_set(&e, ERR_IO, "cannot rename %s to %s: %s", part, name, strerror(errno));
		status = cli_fail(cli, &e, NULL);
	}
	if (status && part) unlink(part);
	verb_end(&call);
	return status;
}
