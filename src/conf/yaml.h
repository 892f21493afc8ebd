// YAML 1.2 as a tree with places, through libfyaml's event parser, so that an alias is seen and
// never followed. Anchors, aliases, tags, merge keys, duplicate keys and a second document are
// errors of d; what is in the tree has only keys that are words, each once.
#pragma once
#include "conf/diagnostics.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool plain;              // a scalar without quotes and not a block
	bool dropped;            // a key that yaml.c refused; belongs to yaml.c
	struct conf_span span;   // of a scalar's text; of a list's or mapping's first character
	struct str text;         // of a scalar
	size_t count;            // items of a list, pairs of a mapping
	struct yaml_node *child; // first item; of a mapping: key, value, key, value, ...
	struct yaml_node *next;
};

// UTF-8 text. False when it is no YAML or over a limit: then d has got the one reason. True with
// *root NULL: there is nothing but comments. Other errors are added to d and the tree is whole.
MUST_USE bool yaml_parse(struct str text, struct arena *life, struct yaml_node **root,
                         struct conf_diagnostics *d);
bool yaml_is_null(const struct yaml_node *node); // nothing, ~ or null, without quotes
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); // value or NULL
const char *yaml_kind_name(const struct yaml_node *node);                       // "a list"

#define YAML_EACH_PAIR(map, key) \
	for (const struct yaml_node *key = (map)->child; key; key = key->next->next)
#define YAML_EACH_ITEM(list, item) \
	for (const struct yaml_node *item = (list)->child; item; item = item->next)
