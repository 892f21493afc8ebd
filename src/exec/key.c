#include "exec/key.h"

#include <stdlib.h>

enum { KEY_VERSION = 2 };

static int compare_names(const void *a, const void *b) {
	const struct exec_pair *const *left = a, *const *right = b;
	return str_compare((*left)->name, (*right)->name);
}

static void add_digest(struct hash *h, struct digest d) {
	hash_add_str(h, (struct str){(const char *)d.b, sizeof d.b});
}

struct digest key_basis(const struct key_parts *parts) {
	AUTO_ARENA scratch = {0};
	struct hash h;
	const struct exec_pair **env = ARENA_ARRAY(&scratch, const struct exec_pair *,
	                                           parts->env.n + 1);
	for (size_t i = 0; i < parts->env.n; i++) env[i] = &parts->env.p[i];
	qsort(env, parts->env.n, sizeof(struct exec_pair *), compare_names);
	hash_begin(&h);
	hash_add_u64(&h, KEY_VERSION);
	hash_add_str(&h, parts->job);
	hash_add_u64(&h, parts->env.n);
	for (size_t i = 0; i < parts->env.n; i++) {
		hash_add_str(&h, env[i]->name);
		hash_add_str(&h, env[i]->value);
	}
	hash_add_u64(&h, parts->need_count);
	for (size_t i = 0; i < parts->need_count; i++) add_digest(&h, parts->needs[i]);
	add_digest(&h, parts->toolchain);
	hash_add_u64(&h, (uint64_t)parts->trust);
	return hash_end(&h);
}

struct digest key_of(struct digest basis, struct digest inputs) {
	struct hash h;
	hash_begin(&h);
	hash_add_u64(&h, KEY_VERSION);
	add_digest(&h, basis);
	add_digest(&h, inputs);
	return hash_end(&h);
}
