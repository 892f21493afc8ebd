// Reads XML as a stream through libxml2, with recovery and nothing else: no external entity, no
// DTD, no entity but the five predefined ones (so nothing can expand), nesting at most 256.
#pragma once
#include "base/err.h"

struct xml_element; // valid during the callback

struct xml_events {
	bool (*start)(void *user, const struct xml_element *element,
	              struct err *e); // false stops with e
	bool (*end)(void *user, struct str name, struct err *e);
	void (*text)(void *user, struct str text); // in pieces
};

struct xml_problem {
	char text[200]; // "" or the first thing that was wrong
	int line;
};

struct str xml_name(const struct xml_element *element);                   // without its prefix
struct str xml_attr(const struct xml_element *element, const char *name); // STR_NONE when absent

// False only when a callback stopped. What is not well formed is told in `problem`, and read as far
// as it goes.
MUST_USE bool xml_read(struct str bytes, const struct xml_events *events, void *user,
                       struct xml_problem *problem, struct err *e);
