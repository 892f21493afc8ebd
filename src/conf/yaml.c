#include "conf/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>

#include "conf/conf.h"

struct reader {
	struct str source;
	struct arena *life;
	struct conf_diagnostics *d;
	struct yaml_node *open[CONF_DEPTH_MAX]; // lists and mappings around the next node
	struct yaml_node *last[CONF_DEPTH_MAX]; // their last child
	size_t depth, nodes, documents, end;    // end: byte behind the last node
	struct yaml_node *root;
};

static struct conf_span token_span(struct fy_token *token, size_t otherwise) {
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	if (!start || !end || start->line < 0 || end->input_pos < start->input_pos)
		return (struct conf_span){otherwise, 0};
	return (struct conf_span){start->input_pos, end->input_pos - start->input_pos};
}

static bool refuse(struct reader *r, const char *code, struct conf_span span, struct str hint,
                   const char *message) {
	diagnostics_add(r->d, CONF_ERROR, code, span, str_of(message), hint);
	return false;
}

// libfyaml 0.7.12 makes three quotes of two that are escaped side by side (''''), and leaks. In one
// line a single-quoted text is what stands there, with each pair for one (YAML 1.2, 7.3.2).
static struct str text_of(const struct reader *r, struct fy_token *token) {
	struct conf_span span = token_span(token, 0);
	struct str raw = str_slice(r->source, span.offset, span.offset + span.length);
	size_t n = 0;
	if (fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED && !memchr(raw.p, '\n', raw.n) &&
	    !memchr(raw.p, '\r', raw.n)) {
		AUTO_BUF text = {0};
		for (size_t i = 0; i < raw.n; i++) {
			buf_char(&text, raw.p[i]);
			if (raw.p[i] == '\'') i++;
		}
		return arena_str(r->life, buf_view(&text));
	}
	const char *p = fy_token_get_text(token, &n);
	return arena_str(r->life, (struct str){p, p ? n : 0});
}

static bool add_node(struct reader *r, struct fy_event *event, enum yaml_kind kind,
                     struct fy_token *token) {
	struct fy_token *anchor = fy_event_get_anchor_token(event),
					*tag = fy_event_get_tag_token(event);
	struct yaml_node *node = ARENA_NEW(r->life, struct yaml_node);
	node->kind = kind;
	node->span = token_span(token, r->end);
	if (++r->nodes > CONF_NODES_MAX)
		return refuse(r, "too-large", node->span, STR("keys, values, lists and mappings count"),
		              "the file has more than 10,000 nodes");
	if (anchor)
		refuse(r, "no-anchors", token_span(anchor, r->end), STR("write the value where it is used"),
		       "weir.yml may not use anchors and aliases");
	if (tag)
		refuse(r, "no-tags", token_span(tag, r->end), STR("leave it out"),
		       "weir.yml may not use tags");
	if (kind == YAML_SCALAR && token) {
		node->text = text_of(r, token);
		node->plain = fy_token_scalar_style(token) == FYSS_PLAIN;
		if (memchr(node->text.p, 0, node->text.n) || str_utf8_bad(node->text) < node->text.n)
			return refuse(r, "control-character", node->span, STR("remove the escape"),
			              "an escape stands for a character that no text may have");
	} else {
		node->plain = true;
	}
	r->end = node->span.offset + node->span.length;

	if (r->depth == 0) {
		r->root = node;
	} else {
		struct yaml_node *parent = r->open[r->depth - 1];
		if (r->last[r->depth - 1]) r->last[r->depth - 1]->next = node;
		else parent->child = node;
		r->last[r->depth - 1] = node;
		parent->count++;
	}
	if (kind == YAML_SCALAR) return true;
	if (r->depth == CONF_DEPTH_MAX)
		return refuse(r, "too-deep", node->span, STR_NONE, "nested more than 16 deep");
	r->open[r->depth] = node;
	r->last[r->depth++] = NULL;
	return true;
}

// gcc's analyzer does not know that libfyaml ends only what it began.
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-use-of-uninitialized-value"
#endif
static void close_node(struct reader *r) {
	struct yaml_node *node = r->open[--r->depth];
	if (node->kind == YAML_MAP) node->count /= 2;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

static bool alias(struct reader *r, struct fy_event *event) {
	struct conf_span span = token_span(event->alias.anchor, r->end);
	refuse(r, "no-anchors", span, STR("write the value where it is used"),
	       "weir.yml may not use anchors and aliases");
	return add_node(r, event, YAML_SCALAR, NULL); // keeps keys and values in step
}

static bool take(struct reader *r, struct fy_event *event) {
	switch (event->type) {
	case FYET_SCALAR: return add_node(r, event, YAML_SCALAR, event->scalar.value);
	case FYET_SEQUENCE_START:
		return add_node(r, event, YAML_LIST, event->sequence_start.sequence_start);
	case FYET_MAPPING_START:
		return add_node(r, event, YAML_MAP, event->mapping_start.mapping_start);
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END: close_node(r); return true;
	case FYET_ALIAS: return alias(r, event);
	case FYET_DOCUMENT_START:
		if (++r->documents == 1) return true;
		return refuse(r, "two-documents", token_span(event->document_start.document_start, r->end),
		              STR("remove what follows"), "a second document begins here");
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END: return true;
	}
	return true;
}

// libfyaml's words are exact but not helpful to everyone; what usually is behind them.
static const struct {
	const char *says, *hint;
} advice[] = {
	{"multiline plain key",
     "is a `:` missing in the line above, or does this stand too far right?"},
	{"cannot start with", "put quotes around the value"},
	{"closing quote", "a quote is opened and never closed"},
	{"closing bracket", "a `[` is opened and never closed"},
	{"missing comma", "a `,` is missing, or a bracket is never closed"},
	{"invalid escape", "write \\\\ for a backslash, or use single quotes"},
	{"indent", "things that belong together stand in the same column"},
};

static bool syntax_error(struct reader *r, struct fy_diag *log) {
	void *iterator = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(log, &iterator);
	if (!error || !error->msg || error->line < 1)
		return refuse(r, "syntax", (struct conf_span){r->end, 1}, STR_NONE, "this is not YAML");
	size_t line = (size_t)error->line, column = error->column > 0 ? (size_t)error->column : 1;
	struct conf_span span = {diagnostics_offset(r->d, line, column), 1};
	struct str says = str_of(error->msg), text = r->d->text;
	if (str_starts(says, STR("tab character"))) {
		size_t tab = diagnostics_offset(r->d, line, 1);
		while (tab < text.n && text.p[tab] == ' ') tab++;
		if (tab < text.n && text.p[tab] == '\t') span.offset = tab;
		return refuse(r, "tab", span, STR("indent with spaces"), "a tab indents this line");
	}
	struct str hint = STR_NONE;
	for (size_t i = 0; i < ARRAY_LEN(advice) && !hint.n; i++)
		if (str_contains(says, str_of(advice[i].says))) hint = str_of(advice[i].hint);
	diagnostics_add(r->d, CONF_ERROR, "syntax", span, says, hint);
	return false;
}

static int by_text(const void *a, const void *b) {
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	int order = str_compare(x->text, y->text);
	return order ? order : (x->span.offset > y->span.offset) - (x->span.offset < y->span.offset);
}

static bool is_key(struct reader *r, const struct yaml_node *key) {
	if (key->kind != YAML_SCALAR)
		return refuse(r, "key-type", key->span, STR_NONE, "a key must be a word");
	if (key->plain && str_eq(key->text, STR("<<")))
		return refuse(r, "no-merge", key->span, STR("write the keys out"),
		              "weir.yml may not use merge keys");
	return true;
}

static void drop_keys(struct yaml_node *map) {
	struct yaml_node **link = &map->child;
	map->count = 0;
	while (*link) {
		struct yaml_node *key = *link;
		if (key->dropped) {
			*link = key->next->next;
		} else {
			link = &key->next->next;
			map->count++;
		}
	}
}

static void check_keys(struct reader *r, struct yaml_node *map) {
	struct yaml_node **keys = ARENA_ARRAY(r->life, struct yaml_node *, map->count);
	size_t n = 0;
	for (struct yaml_node *key = map->child; key; key = key->next->next) {
		if (is_key(r, key)) keys[n++] = key;
		else key->dropped = true;
	}
	if (n) qsort(keys, n, sizeof(struct yaml_node *), by_text);
	for (size_t i = 1; i < n; i++) {
		if (!str_eq(keys[i]->text, keys[i - 1]->text)) continue;
		AUTO_BUF hint = {0};
		buf_printf(&hint, "the one before is in line %zu",
		           diagnostics_line(r->d, keys[i - 1]->span.offset));
		diagnostics_error(r->d, "duplicate-key", keys[i]->span, buf_view(&hint),
		                  "duplicate key \"" STR_FMT "\"", STR_ARG(keys[i]->text));
		keys[i]->dropped = true;
	}
	drop_keys(map);
}

static void check_all_keys(struct reader *r, struct yaml_node *node) {
	if (node->kind == YAML_MAP) check_keys(r, node);
	for (struct yaml_node *at = node->child; at; at = at->next)
		if (at->kind != YAML_SCALAR) check_all_keys(r, at);
}

bool yaml_parse(struct str text, struct arena *life, struct yaml_node **root,
                struct conf_diagnostics *d) {
	struct reader r = {.source = text, .life = life, .d = d};
	struct fy_diag_cfg log_cfg = {.level = FYET_ERROR, .module_mask = ~0u};
	struct fy_diag *log = fy_diag_create(&log_cfg);
	if (!log) abort();
	fy_diag_set_collect_errors(log, true);
	struct fy_parse_cfg cfg = {.search_path = "",
	                           .flags = FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
	                                    FYPCF_DEFAULT_VERSION_1_2,
	                           .diag = log};
	struct fy_parser *parser = fy_parser_create(&cfg);
	if (!parser || fy_parser_set_string(parser, text.n ? text.p : "", text.n) != 0) abort();

	bool ok = true, ended = false;
	while (ok && !ended) {
		struct fy_event *event = fy_parser_parse(parser);
		if (!event) break;
		ended = event->type == FYET_STREAM_END;
		ok = take(&r, event);
		fy_parser_event_free(parser, event);
	}
	if (ok && (!ended || fy_parser_get_stream_error(parser))) ok = syntax_error(&r, log);
	fy_parser_destroy(parser);
	fy_diag_destroy(log);
	if (!ok) return false;
	if (r.root) check_all_keys(&r, r.root);
	*root = r.root;
	return true;
}

bool yaml_is_null(const struct yaml_node *node) {
	return node->kind == YAML_SCALAR && node->plain &&
	       (node->text.n == 0 || str_eq(node->text, STR("~")) || str_eq(node->text, STR("null")));
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key) {
	if (map->kind != YAML_MAP) return NULL;
	YAML_EACH_PAIR(map, at)
	if (str_eq(at->text, str_of(key))) return at->next;
	return NULL;
}

const char *yaml_kind_name(const struct yaml_node *node) {
	if (yaml_is_null(node)) return "nothing";
	return node->kind == YAML_LIST ? "a list" : node->kind == YAML_MAP ? "a mapping" : "a text";
}
