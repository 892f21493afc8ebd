#include "git/commit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "git/child.h"
#include "git/plumb.h"
#include "os/file.h"

enum { COMMIT_BYTES_MAX = 1 << 20, NEAR = 64 };

static struct str clean(struct arena *life, struct str s) {
	AUTO_BUF out = {0};
	buf_utf8(&out, str_slice(s, 0, str_find_char(s, 0)));
	return arena_str(life, buf_view(&out));
}

// "Name <email> 1700000000 +0100"
static bool parse_person(struct str line, struct arena *life, struct git_person *out) {
	size_t close = line.n;
	while (close > 0 && line.p[close - 1] != '>') close--;
	size_t open = str_find_char(line, '<');
	*out = (struct git_person){.name = STR(""), .email = STR("")};
	if (close == 0 || open >= close) return false;
	struct str rest = str_trim(str_from(line, close));
	struct str seconds = str_cut(&rest, ' ');
	out->name = clean(life, str_trim(str_slice(line, 0, open)));
	out->email = clean(life, str_slice(line, open + 1, close - 1));
	if (!str_to_i64(seconds, &out->time_s)) out->time_s = 0;
	int64_t zone = 0;
	if (rest.n == 5 && str_to_i64(str_from(rest, 1), &zone)) {
		int minutes = (int)(zone / 100 * 60 + zone % 100);
		out->zone_minutes = rest.p[0] == '-' ? -minutes : minutes;
	}
	return true;
}

// A Change-Id line of the last paragraph (Gerrit's convention).
static struct str find_change_id(struct str message) {
	struct str rest = message, found = STR_NONE;
	while (rest.p) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		if (line.n == 0 && str_trim(rest).n) found = STR_NONE; // another paragraph begins
		if (str_starts(line, STR("Change-Id: "))) found = str_trim(str_from(line, 11));
	}
	return found.n <= 100 ? found : STR_NONE;
}

bool git_commit_parse(struct str bytes, struct arena *life, struct git_commit *out) {
	struct git_commit c = {.oid = out->oid};
	struct oid parents[64];
	struct str rest = bytes;
	bool tree = false, author = false, committer = false;
	for (;;) {
		if (!rest.p) return false;
		struct str line = str_cut(&rest, '\n');
		if (line.n == 0) break;
		if (str_starts(line, STR("tree "))) {
			tree = oid_parse(str_from(line, 5), &c.tree);
		} else if (str_starts(line, STR("parent "))) {
			if (c.parent_count == ARRAY_LEN(parents)) return false;
			if (!oid_parse(str_from(line, 7), &parents[c.parent_count++])) return false;
		} else if (str_starts(line, STR("author "))) {
			author = true;
			(void)parse_person(str_from(line, 7), life, &c.author);
		} else if (str_starts(line, STR("committer "))) {
			committer = true;
			(void)parse_person(str_from(line, 10), life, &c.committer);
		}
	}
	if (!tree || !author || !committer) return false;
	c.parents = ARENA_ARRAY(life, struct oid, c.parent_count + 1);
	memcpy(c.parents, parents, c.parent_count * sizeof *parents);
	c.message = clean(life, rest);
	struct str body = str_trim(c.message);
	c.title = str_trim(str_cut(&body, '\n'));
	if (c.title.n == 0) c.title = STR("(no title)");
	c.change_id = find_change_id(c.message);
	*out = c;
	return true;
}

static bool read_with(struct git_reader *reader, struct oid oid, struct arena *life,
                      struct git_commit *out, struct err *e) {
	AUTO_BUF bytes = {0};
	struct git_object info;
	if (!git_object_read(reader, oid, COMMIT_BYTES_MAX, &info, &bytes, e)) return false;
	struct git_commit c = {.oid = oid};
	if (info.type != GIT_COMMIT || !git_commit_parse(buf_view(&bytes), life, &c)) {
		char hex[OID_HEX_MAX + 1];
		oid_hex(oid, hex);
		return err_set(e, ERR_INVALID, "%s is not a commit", hex);
	}
	*out = c;
	return true;
}

bool git_commit_read(struct git_repo *r, struct oid oid, struct arena *life, struct git_commit *out,
                     struct err *e) {
	AUTO_READER reader = {0};
	return git_object_open(r, &reader, e) && read_with(&reader, oid, life, out, e);
}

static void add_person(struct buf *out, const char *role, const struct git_person *p) {
	struct str parts[2] = {str_trim(p->name), str_trim(p->email)};
	buf_printf(out, "%s ", role);
	for (int i = 0; i < 2; i++) {
		if (i == 0 && parts[0].n == 0) parts[0] = STR("unknown");
		if (i == 1) buf_cstr(out, " <");
		for (size_t k = 0; k < parts[i].n; k++)
			if ((unsigned char)parts[i].p[k] >= ' ' && !strchr("<>\x7f", parts[i].p[k]))
				buf_char(out, parts[i].p[k]);
	}
	int zone = p->zone_minutes, minutes = zone < 0 ? -zone : zone;
	if (minutes > 14 * 60) zone = minutes = 0;
	int64_t seconds = p->time_s < 0 ? 0 : p->time_s;
	buf_printf(out, "> %lld %c%02d%02d\n", (long long)seconds, zone < 0 ? '-' : '+', minutes / 60,
	           minutes % 60);
}

static void add_oid(struct buf *out, const char *role, struct oid oid) {
	char hex[OID_HEX_MAX + 1];
	oid_hex(oid, hex);
	buf_printf(out, "%s %s\n", role, hex);
}

static bool store(struct git_plumb *p, struct str bytes, struct oid *out, struct err *e) {
	struct str line;
	if (ftruncate(p->body, 0) || lseek(p->body, 0, SEEK_SET) < 0)
		return err_set(e, ERR_IO, "cannot rewind a memory file: %s", strerror(errno));
	if (!file_write_all(p->body, bytes, e)) return false;
	if (!git_plumb_send(p, STR("/proc/self/fd/3\n"), e)) return false;
	if (!git_plumb_until(p, '\n', &line, e)) return false;
	if (oid_parse(line, out)) return true;
	p->broken = true;
	return err_set(e, ERR_CORRUPT, "git hash-object answers \"" STR_FMT "\"", STR_ARG(line));
}

bool git_commit_write(struct git_repo *r, const struct git_commit *commit, struct oid *out,
                      struct err *e) {
	AUTO_BUF bytes = {0};
	add_oid(&bytes, "tree", commit->tree);
	for (size_t i = 0; i < commit->parent_count; i++) add_oid(&bytes, "parent", commit->parents[i]);
	add_person(&bytes, "author", &commit->author);
	add_person(&bytes, "committer", &commit->committer);
	buf_char(&bytes, '\n');
	buf_str(&bytes, commit->message);
	if (bytes.n > COMMIT_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "a commit of more than %d bytes", COMMIT_BYTES_MAX);
	for (int attempt = 0;; attempt++) {
		AUTO_PLUMB p = NULL;
		if (!git_plumb_take(r, GIT_PLUMB_WRITE, &p, e)) return false;
		if (store(p, buf_view(&bytes), out, e)) return true;
		// Writing an object twice is writing it once, so a child that was killed is just replaced.
		if (attempt == 2 || !p->broken) return false;
	}
}

bool git_commit_is_near_ancestor(struct git_repo *r, struct oid old, struct oid new, bool *out,
                                 struct err *e) {
	AUTO_READER reader = {0};
	if (!git_object_open(r, &reader, e)) return false;
	*out = false;
	for (int i = 0; i < NEAR; i++) {
		AUTO_ARENA scratch = {0};
		struct git_commit c;
		if (!read_with(&reader, new, &scratch, &c, e)) return false;
		for (size_t k = 0; k < c.parent_count; k++) *out = *out || oid_eq(c.parents[k], old);
		if (*out || c.parent_count != 1) return true;
		new = c.parents[0];
	}
	return true;
}

bool git_commit_is_ancestor(struct git_repo *r, struct oid old, struct oid new, bool *out,
                            struct err *e) {
	AUTO_OUTPUT output = {0};
	char a[OID_HEX_MAX + 1], b[OID_HEX_MAX + 1];
	bool near = false;
	if (oid_eq(old, new)) {
		*out = true;
		return true;
	}
	if (!git_commit_is_near_ancestor(r, old, new, &near, e)) return false;
	if (near) {
		*out = true;
		return true;
	}
	oid_hex(old, a);
	oid_hex(new, b);
	const char *const argv[] = {"git", "merge-base", "--is-ancestor", a, b, NULL};
	if (!git_child_run(r->home, r, NULL, argv, STR_NONE, 1 << 20, GIT_CHILD_TIMEOUT_MS, &output, e))
		return false;
	if (output.status.end != PROCESS_EXITED || output.status.code > 1)
		return git_child_failed(argv, &output, e);
	*out = output.status.code == 0;
	return true;
}

static bool rev_list(struct git_repo *r, struct oid base, struct oid head, size_t most,
                     struct process_output *out, struct err *e) {
	char b[OID_HEX_MAX + 2] = "^", h[OID_HEX_MAX + 1], limit[40];
	oid_hex(base, b + 1);
	oid_hex(head, h);
	snprintf(limit, sizeof limit, "--max-count=%zu", most + 1);
	const char *const argv[] = {
		"git", "rev-list", "--topo-order", limit, h, oid_is_none(base) ? NULL : b, NULL};
	return git_child_ask(r, argv, STR_NONE, GIT_CHILD_TEXT_MAX, out, e);
}

bool git_commit_count(struct git_repo *r, struct oid base, struct oid head, size_t most,
                      size_t *out, struct err *e) {
	AUTO_OUTPUT output = {0};
	if (!rev_list(r, base, head, most, &output, e)) return false;
	size_t n = 0;
	for (size_t i = 0; i < output.out.n; i++) n += output.out.p[i] == '\n';
	*out = n;
	return true;
}

bool git_commit_list(struct git_repo *r, struct oid base, struct oid head, size_t most,
                     struct arena *life, struct oid **list, size_t *count, struct err *e) {
	AUTO_OUTPUT output = {0};
	if (!rev_list(r, base, head, most, &output, e)) return false;
	size_t n = 0;
	for (size_t i = 0; i < output.out.n; i++) n += output.out.p[i] == '\n';
	if (n > most) return err_set(e, ERR_LIMIT, "more than %zu commits", most);
	struct oid *oids = ARENA_ARRAY(life, struct oid, n + 1);
	struct str rest = buf_view(&output.out);
	for (size_t i = n; i > 0; i--)
		if (!oid_parse(str_cut(&rest, '\n'), &oids[i - 1]))
			return err_set(e, ERR_CORRUPT, "git rev-list answers what is no commit");
	*list = oids;
	*count = n;
	return true;
}

bool git_commit_patch_id(struct git_repo *r, struct oid commit, struct oid *out, struct err *e) {
	AUTO_OUTPUT patch = {0}, id = {0};
	char hex[OID_HEX_MAX + 1];
	struct oid none = {0};
	oid_hex(commit, hex);
	const char *const diff[] = {"git", "diff-tree", "-p", "--root", "--no-ext-diff", hex, NULL};
	if (!git_child_ask(r, diff, STR_NONE, GIT_CHILD_TEXT_MAX, &patch, e)) return false;
	const char *const name[] = {"git", "patch-id", "--stable", NULL};
	if (!git_child_ask(r, name, buf_view(&patch.out), 1 << 20, &id, e)) return false;
	struct str rest = buf_view(&id.out), first = str_cut(&rest, ' ');
	if (first.n == 0) *out = none;
	else if (!oid_parse(first, out))
		return err_set(e, ERR_CORRUPT, "git patch-id answers what is no name");
	return true;
}
