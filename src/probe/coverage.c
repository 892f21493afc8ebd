#include "probe/coverage.h"

#include <stdlib.h>

#include "probe/intern.h"
#include "probe/xml.h"

struct hit {
	uint32_t file, line;
	bool covered;
};

struct reader {
	struct arena *life;
	struct intern names;
	struct str *paths; // by number of names
	size_t paths_size;
	struct hit *hits;
	size_t count, size;
	size_t file, bad_lines;
	bool has_file, jacoco, seen;
	struct buf package;
};

static bool set_file(struct reader *r, struct str path, struct err *e) {
	bool fresh;
	if (path.n > COVERAGE_PATH_MAX) return err_set(e, ERR_LIMIT, "a path of %zu bytes", path.n);
	if (r->names.count == COVERAGE_FILES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d files", COVERAGE_FILES_MAX);
	r->has_file = path.n > 0;
	r->seen = true;
	if (!path.n) return true;
	r->file = intern_number(&r->names, path, &fresh);
	if (r->file >= r->paths_size) {
		r->paths_size = r->paths_size ? r->paths_size * 2 : 64;
		r->paths = realloc(r->paths, r->paths_size * sizeof *r->paths);
		if (!r->paths) abort();
	}
	if (fresh) r->paths[r->file] = arena_str(r->life, path);
	return true;
}

static bool add_hit(struct reader *r, int64_t line, bool covered, struct err *e) {
	if (line < 1 || line > UINT32_MAX || !r->has_file) {
		r->bad_lines++;
		return true;
	}
	if (r->count == COVERAGE_LINES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d lines", COVERAGE_LINES_MAX);
	if (r->count == r->size) {
		r->size = r->size ? r->size * 2 : 1024;
		r->hits = realloc(r->hits, r->size * sizeof *r->hits);
		if (!r->hits) abort();
	}
	r->hits[r->count++] = (struct hit){(uint32_t)r->file, (uint32_t)line, covered};
	return true;
}

// "DA:line,count[,checksum]"; the count may be negative in old gcov and counts as not covered then
static bool take_lcov(struct reader *r, struct str line, struct err *e) {
	int64_t number, count;
	if (str_starts(line, STR("SF:"))) return set_file(r, str_from(line, 3), e);
	if (str_eq(line, STR("end_of_record"))) r->has_file = false;
	if (!str_starts(line, STR("DA:"))) return true;
	struct str rest = str_from(line, 3);
	struct str at = str_cut(&rest, ','), hits = str_cut(&rest, ',');
	if (!str_to_i64(at, &number) || !str_to_i64(hits, &count)) {
		r->bad_lines++;
		return true;
	}
	return add_hit(r, number, count > 0, e);
}

static bool cut_number(struct str *rest, char end, int64_t *out) {
	return str_to_i64(str_cut(rest, end), out);
}

// path:line.column,line.column statements count
static bool take_go(struct reader *r, struct str line, struct err *e) {
	int64_t first, last, column, statements, count;
	size_t colon = line.n;
	while (colon > 0 && line.p[colon - 1] != ':') colon--;
	if (!line.n || str_starts(line, STR("mode:"))) return true;
	struct str rest = str_from(line, colon);
	if (colon < 2 || !cut_number(&rest, '.', &first) || !cut_number(&rest, ',', &column) ||
	    !cut_number(&rest, '.', &last) || !cut_number(&rest, ' ', &column) ||
	    !cut_number(&rest, ' ', &statements) || !str_to_i64(str_trim(rest), &count) || first < 1 ||
	    last < first) {
		r->bad_lines++;
		return true;
	}
	if (!set_file(r, str_slice(line, 0, colon - 1), e)) return false;
	for (int64_t at = first; at <= last; at++)
		if (!add_hit(r, at, count > 0, e)) return false;
	return true;
}

static int64_t number_of(struct str s) {
	int64_t n;
	return str_to_i64(s, &n) ? n : -1;
}

static bool start_element(void *user, const struct xml_element *x, struct err *e) {
	struct reader *r = user;
	struct str name = xml_name(x);
	if (str_eq(name, STR("report"))) r->jacoco = r->seen = true;
	else if (str_eq(name, STR("coverage"))) r->seen = true;
	else if (str_eq(name, STR("package"))) {
		buf_reset(&r->package);
		buf_str(&r->package, xml_attr(x, "name"));
	} else if (str_eq(name, STR("class")) && !r->jacoco)
		return set_file(r, xml_attr(x, "filename"), e);
	else if (str_eq(name, STR("sourcefile"))) {
		size_t before = r->package.n;
		if (before) buf_char(&r->package, '/');
		buf_str(&r->package, xml_attr(x, "name"));
		bool ok = set_file(r, buf_view(&r->package), e);
		r->package.n = before;
		return ok;
	} else if (str_eq(name, STR("line")) && r->has_file) {
		struct str hits = r->jacoco ? xml_attr(x, "ci") : xml_attr(x, "hits");
		return add_hit(r, number_of(xml_attr(x, r->jacoco ? "nr" : "number")), number_of(hits) > 0,
		               e);
	}
	return true;
}

static bool end_element(void *user, struct str name, struct err *e) {
	(void)e;
	struct reader *r = user;
	if (str_eq(name, STR("class")) || str_eq(name, STR("sourcefile"))) r->has_file = false;
	return true;
}

static void ignore_text(void *user, struct str text) {
	(void)user, (void)text;
}

static bool read_xml(struct reader *r, struct str bytes, struct coverage *c, struct err *e) {
	static const struct xml_events events = {start_element, end_element, ignore_text};
	struct xml_problem problem;
	if (!xml_read(bytes, &events, r, &problem, e)) return false;
	if (!r->seen) return err_set(e, ERR_INVALID, "XML that is neither Cobertura nor JaCoCo");
	if (problem.text[0])
		c->problem = arena_printf(r->life, "not well-formed XML at line %d (%s)", problem.line,
		                          problem.text);
	c->format = r->jacoco ? "jacoco" : "cobertura";
	return true;
}

static bool read_lines(struct reader *r, struct str bytes, struct coverage *c, struct err *e) {
	bool go = str_starts(bytes, STR("mode:"));
	for (struct str rest = bytes; rest.p;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		if (!(go ? take_go(r, line, e) : take_lcov(r, line, e))) return false;
	}
	if (!go && !r->seen)
		return err_set(e, ERR_INVALID, "neither lcov, Cobertura, JaCoCo nor a Go cover profile");
	c->format = go ? "go" : "lcov";
	return true;
}

static int by_file_and_line(const void *a, const void *b) {
	const struct hit *x = a, *y = b;
	if (x->file != y->file) return x->file < y->file ? -1 : 1;
	if (x->line != y->line) return x->line < y->line ? -1 : 1;
	return (int)y->covered - (int)x->covered; // the covered one first
}

static int by_path(const void *a, const void *b) {
	return str_compare(((const struct coverage_file *)a)->path,
	                   ((const struct coverage_file *)b)->path);
}

static void sum_up(struct reader *r, struct coverage *c) {
	c->count = r->names.count;
	c->files = ARENA_ARRAY(r->life, struct coverage_file, c->count);
	for (size_t i = 0; i < c->count; i++) c->files[i].path = r->paths[i];
	if (r->count) qsort(r->hits, r->count, sizeof *r->hits, by_file_and_line);
	for (size_t i = 0; i < r->count; i++) {
		const struct hit *h = &r->hits[i];
		if (i > 0 && h[-1].file == h->file && h[-1].line == h->line) continue;
		c->files[h->file].lines++;
		c->files[h->file].covered += h->covered;
		c->lines++;
		c->covered += h->covered;
	}
	if (c->count) qsort(c->files, c->count, sizeof *c->files, by_path);
	if (r->bad_lines && !c->problem.n)
		c->problem = arena_printf(r->life, "%zu lines of it could not be read", r->bad_lines);
}

bool coverage_read(struct str bytes, struct str path_hint, struct arena *life, struct coverage *out,
                   struct err *e) {
	struct str path = path_hint.n ? path_hint : STR("the coverage file");
	if (bytes.n > COVERAGE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, STR_FMT ": %zu bytes; at most %d are read", STR_ARG(path),
		               bytes.n, COVERAGE_BYTES_MAX);
	struct reader r = {.life = life};
	struct coverage c = {0};
	bool xml = str_starts(str_trim(bytes), STR("<")) || str_starts(bytes, STR("\xef\xbb\xbf<"));
	bool ok = xml ? read_xml(&r, bytes, &c, e) : read_lines(&r, bytes, &c, e);
	if (ok) {
		sum_up(&r, &c);
		*out = c;
	} else {
		err_context(e, STR_FMT, STR_ARG(path));
	}
	free(r.hits);
	free(r.paths);
	buf_free(&r.package);
	intern_free(&r.names);
	return ok;
}

void coverage_json(const struct coverage *c, struct jsonw *w) {
	jsonw_object(w);
	jsonw_key_i(w, "covered", c->covered);
	jsonw_key(w, "files");
	jsonw_array(w);
	for (size_t i = 0; i < c->count; i++) {
		jsonw_object(w);
		jsonw_key_i(w, "covered", c->files[i].covered);
		jsonw_key_i(w, "lines", c->files[i].lines);
		jsonw_key_s(w, "path", c->files[i].path);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_key_z(w, "format", c->format);
	jsonw_key_i(w, "lines", c->lines);
	jsonw_key_s(w, "problem", c->problem);
	jsonw_object_end(w);
}
