#include "git/object.h"

#include "git/plumb.h"

bool git_object_open(struct git_repo *r, struct git_reader *out, struct err *e) {
	return git_plumb_take(r, GIT_PLUMB_READ, &out->plumb, e);
}

void git_object_close(struct git_reader *reader) {
	git_plumb_give(&reader->plumb);
}

static enum git_object_type type_of(struct str name) {
	if (str_eq(name, STR("commit"))) return GIT_COMMIT;
	if (str_eq(name, STR("tree"))) return GIT_TREE;
	if (str_eq(name, STR("blob"))) return GIT_BLOB;
	if (str_eq(name, STR("tag"))) return GIT_TAG;
	return GIT_OBJECT_NONE;
}

// "OID TYPE SIZE", or "NAME missing" / "NAME ambiguous" where NAME may hold anything.
static bool take_head(struct git_plumb *p, struct git_object *out, struct err *e) {
	struct str line;
	if (!git_plumb_until(p, '\n', &line, e)) return false;
	p->pending--;
	struct git_object info = {0};
	if (str_ends(line, STR(" missing")) || str_ends(line, STR(" ambiguous"))) {
		*out = info;
		return true;
	}
	struct str rest = line;
	struct str oid = str_cut(&rest, ' '), type = str_cut(&rest, ' ');
	info.type = type_of(type);
	if (!oid_parse(oid, &info.oid) || info.type == GIT_OBJECT_NONE ||
	    !str_to_u64(rest, &info.size)) {
		p->broken = true;
		return err_set(e, ERR_CORRUPT, "git cat-file answers \"" STR_FMT "\"", STR_ARG(line));
	}
	*out = info;
	return true;
}

// Reading is asking again when somebody killed the child.
static bool renew(struct git_reader *reader, const struct err *why, int *attempt, struct err *e) {
	struct git_plumb *p = reader->plumb;
	struct git_repo *r = p->repo;
	if (!p->broken || why->code != ERR_UNAVAILABLE || ++*attempt > 2) {
		*e = *why;
		return false;
	}
	git_plumb_give(&reader->plumb);
	return git_plumb_take(r, GIT_PLUMB_READ, &reader->plumb, e);
}

bool git_object_info(struct git_reader *reader, struct str name, struct git_object *out,
                     struct err *e) {
	AUTO_BUF line = {0};
	if (name.n == 0 || memchr(name.p, '\n', name.n) || memchr(name.p, 0, name.n))
		return err_set(e, ERR_INVALID, "not a name of a git object");
	buf_cstr(&line, "info ");
	buf_str(&line, name);
	buf_char(&line, '\n');
	for (int attempt = 0;;) {
		struct err why;
		reader->plumb->pending++;
		if (git_plumb_send(reader->plumb, buf_view(&line), &why) &&
		    take_head(reader->plumb, out, &why))
			return true;
		if (!renew(reader, &why, &attempt, e)) return false;
	}
}

bool git_object_ask(struct git_reader *reader, const struct oid *oids, size_t count,
                    struct err *e) {
	AUTO_BUF lines = {0};
	for (size_t i = 0; i < count; i++) {
		char hex[OID_HEX_MAX + 1];
		oid_hex(oids[i], hex);
		buf_printf(&lines, "contents %s\n", hex);
	}
	reader->plumb->pending += count;
	return git_plumb_send(reader->plumb, buf_view(&lines), e);
}

bool git_object_answer(struct git_reader *reader, size_t most, struct git_object *info,
                       struct str *body, struct err *e) {
	struct git_plumb *p = reader->plumb;
	struct str whole = STR_NONE;
	struct git_object got = {0};
	if (!take_head(p, &got, e)) return false;
	if (got.type == GIT_OBJECT_NONE) return err_set(e, ERR_NOT_FOUND, "no such git object");
	if (got.size > most) {
		char hex[OID_HEX_MAX + 1];
		oid_hex(got.oid, hex);
		if (!git_plumb_skip(p, got.size + 1, e)) return false;
		return err_set(e, ERR_LIMIT, "git object %s has %llu bytes, the limit is %zu", hex,
		               (unsigned long long)got.size, most);
	}
	if (!git_plumb_bytes(p, (size_t)got.size + 1, &whole, e)) return false;
	*info = got;
	*body = str_slice(whole, 0, (size_t)got.size);
	return true;
}

bool git_object_read(struct git_reader *reader, struct oid oid, size_t most,
                     struct git_object *info, struct buf *out, struct err *e) {
	struct git_object got = {0};
	struct str body;
	char hex[OID_HEX_MAX + 1];
	oid_hex(oid, hex);
	if (oid_is_none(oid)) return err_set(e, ERR_NOT_FOUND, "no git object named");
	for (int attempt = 0;;) {
		struct err why;
		if (git_object_ask(reader, &oid, 1, &why) &&
		    git_object_answer(reader, most, &got, &body, &why))
			break;
		if (!renew(reader, &why, &attempt, e))
			return e->code == ERR_NOT_FOUND ? err_context(e, "%s", hex) : false;
	}
	buf_str(out, body);
	if (info) *info = got;
	return true;
}

bool git_object_resolve(struct git_repo *r, struct str name, struct oid *out, struct err *e) {
	AUTO_READER reader = {0};
	struct git_object info = {0};
	if (!git_object_open(r, &reader, e)) return false;
	if (!git_object_info(&reader, name, &info, e)) return false;
	*out = info.oid;
	return true;
}
