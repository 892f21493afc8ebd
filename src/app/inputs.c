#include "app/inputs.h"

#include <stdio.h>

#include "base/json.h"
#include "exec/trace.h"
#include "git/lookup.h"
#include "git/subset.h"
#include "os/file.h"

enum { RECORD_MAX = 1 << 30 };

// ---------------------------------------------------------------- answers

// A job sees no difference between a folder and a submodule that is not filled in.
static enum git_mode seen_mode(enum git_mode mode) {
	return mode == GIT_MODE_MODULE ? GIT_MODE_FOLDER : mode;
}

// The kind that a listing tells: whether a file may be executed is not among it.
static enum git_mode seen_kind(enum git_mode mode) {
	return mode == GIT_MODE_PROGRAM ? GIT_MODE_FILE : seen_mode(mode);
}

static bool size_of(struct git_reader *reader, struct oid oid, uint64_t *size, struct err *e) {
	char hex[OID_HEX_MAX + 1];
	struct git_object info;
	oid_hex(oid, hex);
	if (!git_object_info(reader, str_of(hex), &info, e)) return false;
	if (info.type != GIT_BLOB) return err_set(e, ERR_NOT_FOUND, "object %s is not there", hex);
	*size = info.size;
	return true;
}

static bool digest_names(struct git_lookup *l, struct str path, struct digest *out, struct err *e) {
	struct hash h;
	struct str rest;
	struct git_entry entry;
	if (!git_lookup_list(l, path, &rest, e)) return false;
	hash_begin(&h);
	while (git_tree_next(&rest, l->tree.n, &entry)) {
		hash_add_str(&h, entry.name);
		hash_add_u64(&h, seen_kind(entry.mode));
	}
	*out = hash_end(&h);
	return true;
}

// What the tree answers to what was asked about the path.
static bool answer(struct git_lookup *l, struct str path, unsigned what, struct buf *out,
                   struct err *e) {
	struct git_entry entry;
	char hex[DIGEST_HEX + 1];
	buf_reset(out);
	if (!git_lookup_path(l, path, &entry, e)) return false;
	if (entry.mode == GIT_MODE_NONE) return true;
	buf_printf(out, "%06o", (unsigned)seen_mode(entry.mode));
	bool folder = seen_mode(entry.mode) == GIT_MODE_FOLDER;
	if (folder && (what & READS_NAMES)) {
		struct digest names = digest_of(STR(""));
		if (entry.mode == GIT_MODE_FOLDER && !digest_names(l, path, &names, e)) return false;
		digest_hex(names, hex);
		buf_printf(out, "-%s", hex);
	} else if (!folder && (what & READS_BYTES)) {
		oid_hex(entry.oid, hex);
		buf_printf(out, "-%s", hex);
	} else if (!folder) {
		uint64_t size;
		if (!size_of(l->reader, entry.oid, &size, e)) return false;
		buf_printf(out, "-%llu", (unsigned long long)size);
	}
	return true;
}

bool inputs_make(struct git_reader *reader, struct oid tree, struct str record, struct arena *life,
                 struct str *out, struct err *e) {
	AUTO_LOOKUP l = {.reader = reader, .tree = tree};
	AUTO_BUF value = {0}, text = {0};
	struct reads r;
	if (!reads_parse(record, life, &r, e)) return false;
	for (size_t i = 0; i < r.n; i++) {
		struct reads_entry *entry = &r.list[i];
		if (!answer(&l, entry->path, entry->what, &value, e)) return false;
		if ((value.n == 0) != ((entry->what & READS_ABSENT) != 0))
			return err_set(e, ERR_CORRUPT, "the run saw another tree than it was given: " STR_FMT,
			               STR_ARG(entry->path));
		entry->value = arena_str(life, buf_view(&value));
	}
	reads_write(&r, &text);
	*out = arena_str(life, buf_view(&text));
	return true;
}

bool inputs_of_run(struct git_repo *git, struct oid tree, const char *folder, struct arena *life,
                   struct str *out, struct err *e) {
	AUTO_BUF record = {0};
	AUTO_READER reader = {0};
	struct str path = arena_printf(life, "%s/" TRACE_RECORD, folder);
	*out = STR("");
	if (!file_read(path.p, RECORD_MAX, &record, e)) return false;
	if (!record.n) return true; // it read nothing of the tree
	return git_object_open(git, &reader, e) &&
	       inputs_make(&reader, tree, buf_view(&record), life, out, e);
}

bool inputs_parse(struct str object, struct arena *life, struct inputs *out, struct err *e) {
	AUTO_JSON v = NULL;
	*out = (struct inputs){0};
	if (!str_starts(object, STR("{"))) return reads_parse(object, life, &out->reads, e);
	if (!json_parse(object, &v, e)) return false;
	const struct json *patterns = json_get(v, "patterns");
	out->has_commit = json_get_str(v, "commit").n > 0;
	out->patterns = ARENA_ARRAY(life, struct str, json_length(patterns) + 1);
	while (out->pattern_count < json_length(patterns)) {
		out->patterns[out->pattern_count] = arena_str(
			life, json_str(json_at(patterns, out->pattern_count)));
		out->pattern_count++;
	}
	if (!oid_parse(json_get_str(v, "tree"), &out->whole))
		return err_set(e, ERR_CORRUPT, "an inputs object names no tree");
	return true;
}

// ---------------------------------------------------------------- by what differs

static struct str parent_of(struct str path) {
	size_t n = path.n;
	while (n && path.p[n - 1] != '/') n--;
	return n ? str_slice(path, 0, n - 1) : STR(".");
}

struct change {
	struct git_reader *reader;
	const struct inputs *in;
	struct arena *life;
	struct str *why;
	bool matters; // the difference that is looked at
};

static void say(struct change *c, struct str path, const char *what) {
	c->matters = true;
	if (!c->why->n) *c->why = arena_printf(c->life, STR_FMT " %s", STR_ARG(path), what);
}

// A file or a link stays one: its bytes, its size, whether it may be executed.
static bool same_kind(struct change *c, const struct git_difference *d, unsigned what,
                      struct err *e) {
	uint64_t before, after;
	if (d->before != d->after && what) say(c, d->path, "may be executed, or no longer");
	else if (what & READS_BYTES) say(c, d->path, "changed");
	else if (what && !oid_eq(d->old, d->new)) {
		if (!size_of(c->reader, d->old, &before, e) || !size_of(c->reader, d->new, &after, e))
			return false;
		if (before != after) say(c, d->path, "has another size");
	}
	return true;
}

static bool judge(struct change *c, const struct git_difference *d, struct err *e) {
	const struct reads *reads = &c->in->reads;
	enum git_mode before = seen_kind(d->before), after = seen_kind(d->after);
	unsigned what = reads_of(reads, d->path);
	struct str parent = parent_of(d->path);
	if (before != after && (reads_of(reads, parent) & READS_NAMES))
		say(c, d->path,
		    before == GIT_MODE_NONE  ? "is new where it listed the folder"
		    : after == GIT_MODE_NONE ? "is gone where it listed the folder"
		                             : "is of another kind");
	if (before == GIT_MODE_NONE && what) say(c, d->path, "is new, and it had looked for it");
	else if (after == GIT_MODE_NONE && what) say(c, d->path, "is gone");
	else if (before != after && what) say(c, d->path, "is of another kind");
	else if (before == after && before != GIT_MODE_FOLDER) return same_kind(c, d, what, e);
	// A submodule became a folder: to the job that is new content in a folder that was empty.
	else if (d->before != d->after && reads_below(reads, d->path)) say(c, d->path, "changed");
	return true;
}

bool inputs_changed(const struct inputs *in, const struct git_differences *differences,
                    struct git_reader *reader, struct arena *life, struct str *why, struct err *e) {
	struct change c = {.reader = reader, .in = in, .life = life, .why = why};
	size_t count = 0;
	*why = STR_NONE;
	for (size_t i = 0; i < differences->count; i++) {
		c.matters = false;
		if (!judge(&c, &differences->list[i], e)) return false;
		count += c.matters;
	}
	if (count > 1) *why = arena_printf(life, STR_FMT ", and %zu more", STR_ARG(*why), count - 1);
	return true;
}

// ---------------------------------------------------------------- by asking again

bool inputs_hold(const struct inputs *in, struct git_reader *reader, struct oid tree, bool *hold,
                 struct err *e) {
	AUTO_LOOKUP l = {.reader = reader, .tree = tree};
	AUTO_BUF value = {0};
	if (in->pattern_count)
		return git_subset_is(reader, tree, in->patterns, in->pattern_count, in->whole, hold, e);
	*hold = oid_is_none(in->whole) || oid_eq(in->whole, tree);
	for (size_t i = 0; i < in->reads.n && *hold; i++) {
		const struct reads_entry *entry = &in->reads.list[i];
		if (!answer(&l, entry->path, entry->what, &value, e)) return false;
		*hold = str_eq(buf_view(&value), entry->value);
	}
	return true;
}
