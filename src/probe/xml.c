#include "probe/xml.h"

#include <libxml/parser.h>
#include <stdio.h>

#include "base/arena.h"

enum { CHUNK = 64 * 1024 };

struct xml_element {
	const char *name;
	const xmlChar **attributes; // (local name, prefix, URI, value, end) each
	int count;
	struct arena *scratch;
};

struct reading {
	const struct xml_events *events;
	void *user;
	struct xml_problem *problem;
	struct err *e;
	xmlParserCtxtPtr parser;
	bool stopped;
	struct arena scratch; // of one element
};

struct str xml_name(const struct xml_element *element) {
	return str_of(element->name);
}

// Without XML_PARSE_NOENT libxml2 hands an ampersand in an attribute out as "&#38;".
static struct str decoded(struct arena *scratch, struct str value) {
	struct str escape = STR("&#38;");
	if (!str_contains(value, escape)) return value;
	char *out = arena_cstr(scratch, value);
	size_t n = 0;
	while (value.n) {
		size_t skip = str_starts(value, escape) ? escape.n : 1;
		out[n++] = value.p[0];
		value = str_from(value, skip);
	}
	return (struct str){out, n};
}

struct str xml_attr(const struct xml_element *element, const char *name) {
	for (int i = 0; i < element->count; i++) {
		const xmlChar **a = element->attributes + (ptrdiff_t)5 * i;
		if (strcmp((const char *)a[0], name) == 0)
			return decoded(element->scratch,
			               (struct str){(const char *)a[3], (size_t)(a[4] - a[3])});
	}
	return STR_NONE;
}

static void stop(struct reading *r) {
	r->stopped = true;
	xmlStopParser(r->parser);
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_spaces, const xmlChar **spaces, int n, int n_defaulted,
                     const xmlChar **attributes) {
	(void)prefix, (void)uri, (void)n_spaces, (void)spaces, (void)n_defaulted;
	struct reading *r = user;
	struct xml_element element = {(const char *)name, attributes, n, &r->scratch};
	arena_reset(&r->scratch);
	if (!r->stopped && !r->events->start(r->user, &element, r->e)) stop(r);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
	(void)prefix, (void)uri;
	struct reading *r = user;
	if (!r->stopped && !r->events->end(r->user, str_of((const char *)name), r->e)) stop(r);
}

static void on_text(void *user, const xmlChar *text, int n) {
	struct reading *r = user;
	if (!r->stopped) r->events->text(r->user, (struct str){(const char *)text, (size_t)n});
}

static void on_error(void *user, xmlErrorPtr why) {
	struct reading *r = user;
	if (r->problem->text[0] || r->stopped || why->level < XML_ERR_ERROR) return;
	struct str text = str_trim(str_of(why->message ? why->message : "not well formed"));
	if (text.n > 150) text.n = 150;
	snprintf(r->problem->text, sizeof r->problem->text, STR_FMT, STR_ARG(text));
	r->problem->line = why->line;
}

bool xml_read(struct str bytes, const struct xml_events *events, void *user,
              struct xml_problem *problem, struct err *e) {
	struct reading r = {.events = events, .user = user, .problem = problem, .e = e};
	// Handlers for entities and DTDs are left out on purpose: an entity that is declared stays
	// unknown.
	xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.serror = on_error,
	};
	*problem = (struct xml_problem){0};
	r.parser = xmlCreatePushParserCtxt(&sax, &r, NULL, 0, NULL);
	if (!r.parser) return err_set(e, ERR_UNAVAILABLE, "no memory for an XML reader");
	xmlCtxtUseOptions(r.parser, XML_PARSE_RECOVER | XML_PARSE_NONET);
	for (size_t at = 0; at < bytes.n && !r.stopped; at += CHUNK) {
		struct str piece = str_slice(bytes, at, at + CHUNK);
		xmlParseChunk(r.parser, piece.p, (int)piece.n, 0);
	}
	if (!r.stopped) xmlParseChunk(r.parser, NULL, 0, 1);
	if (r.parser->myDoc) xmlFreeDoc(r.parser->myDoc);
	r.parser->myDoc = NULL;
	xmlFreeParserCtxt(r.parser);
	arena_free(&r.scratch);
	return !r.stopped;
}
