// Numbers names: the same name gives the same number, counted from 0 in the order of first sight.
// Keyed by SHA-256, so that no chosen set of names makes it slow.
#pragma once
#include "base/hash.h"

struct intern {
	struct digest *keys;
	uint32_t *slots; // number + 1, 0 = free
	size_t count, size;
};

size_t intern_number(struct intern *t, struct str name, bool *fresh); // count grows when fresh
void intern_free(struct intern *t);
