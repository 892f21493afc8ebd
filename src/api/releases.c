// Operations on releases and their artifacts.
#include <stdio.h>
#include <stdlib.h>

#include "api/call.h"
#include "api/tarwriter.h"
#include "base/json.h"

enum { MANIFEST_MAX = 32 << 20 };

static void write_release(struct call *c, struct jsonw *w, const struct read_release *r) {
	call_key_text(w, "author", r->author);
	jsonw_key_i(w, "change", (int64_t)r->change.v);
	call_key_oid(w, "commit", r->commit);
	jsonw_key_i(w, "id", (int64_t)r->id.v);
	jsonw_key_t(w, "made", r->made_ms);
	struct read_repo repo;
	struct err e = {0};
	jsonw_key(w, "repo");
	if (read_repo(c->store, r->repo, &c->life, &repo, &e)) jsonw_str(w, repo.name);
	else jsonw_null(w);
	jsonw_key_s(w, "title", r->title);
}

void releases_list(struct call *c) {
	struct err e = {0};
	struct repo_id repo;
	struct read_releases list;
	if (!call_repo(c, &repo)) return;
	if (!read_releases(c->store, repo, (struct release_id){(uint64_t)call_int(c, "before", 0)},
	                   call_limit(c), &c->life, &list, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, "releases");
	jsonw_array(w);
	for (size_t i = 0; i < list.n; i++) {
		jsonw_object(w);
		write_release(c, w, &list.p[i]);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
	call_finish(c);
}

// ---------------------------------------------------------------- artifacts

struct file {
	struct str job, path, link; // link: target, p == NULL for a file
	bool executable;
	uint64_t size;
	struct digest digest;
};

struct files {
	struct file *p;
	size_t n, cap;
};

static bool add_manifest(struct call *c, struct str job, const struct json *manifest,
                         struct files *files, struct err *e) {
	for (size_t i = 0; i < json_length(manifest); i++) {
		const struct json *v = json_at(manifest, i);
		struct str link = json_get_str(v, "link");
		struct file f = {.job = job,
		                 .path = arena_str(&c->life, json_get_str(v, "path")),
		                 .link = link.p ? arena_str(&c->life, link) : STR_NONE,
		                 .executable = str_eq(json_get_str(v, "mode"), STR("0755")),
		                 .size = (uint64_t)json_get_int(v, "size", 0)};
		if (!link.p && !digest_parse(json_get_str(v, "sha256"), &f.digest))
			return err_set(e, ERR_CORRUPT, "the manifest of " STR_FMT " names no digest",
			               STR_ARG(job));
		if (files->n == files->cap) {
			size_t cap = files->cap ? files->cap * 2 : 64;
			struct file *more = ARENA_ARRAY(&c->life, struct file, cap);
			if (files->n) memcpy(more, files->p, files->n * sizeof *more);
			files->p = more;
			files->cap = cap;
		}
		files->p[files->n++] = f;
	}
	return true;
}

// All files of the release's artifacts, of one job unless it is empty.
static bool read_files(struct call *c, const struct read_release *r, struct str only,
                       struct files *out, struct err *e) {
	AUTO_JSON artifacts = NULL;
	if (!r->artifacts.n) return true;
	if (!json_parse(r->artifacts, &artifacts, e)) return false;
	for (size_t i = 0; i < json_length(artifacts); i++) {
		const struct json *v = json_at(artifacts, i);
		struct str job = arena_str(&c->life, json_get_str(v, "job"));
		struct digest name;
		AUTO_BUF bytes = {0};
		AUTO_JSON manifest = NULL;
		if (only.n && !str_eq(only, job)) continue;
		if (!digest_parse(json_get_str(v, "artifacts"), &name))
			return err_set(e, ERR_CORRUPT, "the release names no artifact");
		if (!object_get(c->host->objects, name, MANIFEST_MAX, &bytes, e)) {
			if (e->code == ERR_NOT_FOUND)
				err_set(e, ERR_NOT_FOUND, "the artifact of " STR_FMT " was removed by retention",
				        STR_ARG(job));
			return false;
		}
		if (!json_parse(buf_view(&bytes), &manifest, e) || !add_manifest(c, job, manifest, out, e))
			return false;
	}
	return true;
}

static bool find(struct call *c, struct read_release *r) {
	struct repo_id repo;
	return call_repo(c, &repo) && call_release(c, repo, call_text(c, "release"), r);
}

void releases_get(struct call *c) {
	struct err e = {0};
	struct read_release r;
	struct files files = {0};
	if (!find(c, &r)) return;
	bool kept = read_files(c, &r, STR_NONE, &files, &e);
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, "files");
	if (!kept) jsonw_null(w);
	else {
		jsonw_array(w);
		for (size_t i = 0; i < files.n; i++) {
			const struct file *f = &files.p[i];
			char hex[DIGEST_HEX + 1];
			digest_hex(f->digest, hex);
			jsonw_object(w);
			jsonw_key_b(w, "executable", f->executable);
			jsonw_key_s(w, "job", f->job);
			call_key_text(w, "link", f->link);
			jsonw_key_s(w, "path", f->path);
			jsonw_key_z(w, "sha256", f->link.p ? NULL : hex);
			jsonw_key_i(w, "size", (int64_t)f->size);
			jsonw_object_end(w);
		}
		jsonw_array_end(w);
	}
	write_release(c, w, &r);
	jsonw_object_end(w);
	call_finish(c);
}

// ---------------------------------------------------------------- download

struct download {
	struct api_stream stream;
	struct object_store *objects;
	struct arena life;
	struct files files; // of `life`
	size_t at;
	uint64_t offset;
	bool tar, begun;
};

static bool more(struct api_stream *s, struct buf *out) {
	struct download *d = (struct download *)s;
	if (d->at == d->files.n) return false;
	const struct file *f = &d->files.p[d->at];
	struct err e = {0};
	uint64_t total;
	if (d->tar && !d->begun) {
		if (f->link.p) tarwriter_link(out, f->path, f->link);
		else tarwriter_file(out, f->path, f->executable, f->size);
		d->begun = true;
	}
	if (!f->link.p && d->offset < f->size) {
		size_t before = out->n;
		if (!object_read(d->objects, f->digest, d->offset, 1 << 20, out, &total, &e) ||
		    out->n == before)
			return false;
		d->offset += out->n - before;
		if (d->offset < f->size) return true;
	}
	if (d->tar) tarwriter_pad(out, f->link.p ? 0 : f->size);
	d->begun = false;
	d->offset = 0;
	d->at++;
	if (d->at < d->files.n) return true;
	if (d->tar) tarwriter_end(out);
	return out->n > 0;
}

static void end(struct api_stream *s) {
	struct download *d = (struct download *)s;
	arena_free(&d->life);
	free(d);
}

static const char *last_part(struct arena *life, struct str path) {
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
	return arena_cstr(life, slash ? str_from(path, (size_t)(slash - path.p) + 1) : path);
}

void releases_artifact(struct call *c) {
	struct err e = {0};
	struct read_release r;
	struct files files = {0};
	struct str path = call_text(c, "path");
	if (!find(c, &r)) return;
	if (!read_files(c, &r, call_text(c, "job"), &files, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	size_t kept = 0;
	for (size_t i = 0; i < files.n; i++)
		if (!path.n || (str_eq(files.p[i].path, path) && !files.p[i].link.p))
			files.p[kept++] = files.p[i];
	files.n = kept;
	for (size_t i = 0; i <= files.n; i++) {
		bool gone = i < files.n && !files.p[i].link.p &&
		            !object_exists(c->host->objects, files.p[i].digest);
		if (files.n && !gone) continue;
		if (gone)
			err_set(&e, ERR_NOT_FOUND, STR_FMT " was removed by retention",
			        STR_ARG(files.p[i].path));
		else if (path.n)
			err_set(&e, ERR_NOT_FOUND, "the release has no file " STR_FMT, STR_ARG(path));
		else err_set(&e, ERR_NOT_FOUND, "the release has no artifacts");
		call_fail(c, &e, "weir release RELEASE lists its files");
		return;
	}
	struct download *d = calloc(1, sizeof *d);
	if (!d) abort();
	*d = (struct download){
		.stream = {false, more, end}, .objects = c->host->objects, .tar = !path.n, .files = files};
	d->life = c->life; // what the files name goes with them
	c->life = (struct arena){0};
	c->answer.stream = &d->stream;
	c->answer.type = path.n ? "application/octet-stream" : "application/x-tar";
	snprintf(c->answer.file_name, sizeof c->answer.file_name, path.n ? "%s" : "release-%s.tar",
	         path.n ? last_part(&d->life, path)
	                : arena_printf(&d->life, "%llu", (unsigned long long)r.id.v).p);
	call_finish(c);
}
