/* store.h - the links, in memory and, if wanted, in a file.
 *
 * The file is a log, one line a change: "+ KEY LENGTH URL" or "- KEY". Lines are only appended, and
 * memory is what the log says: adding a link is appending its line and then reading it back. So two
 * processes with one file see each other's links, as when a new release starts beside the old one.
 * A line that a crash cut off is skipped; that is what its LENGTH is for. The file is not fsynced,
 * and hits are not in it.
 */
#ifndef STORE_H
#define STORE_H

#include "key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STORE_URL_MAX = 2048 };

struct link {
    char key[KEY_LENGTH + 1];
    uint64_t hits;
    struct link *next;
    char url[];
};

struct store;

/* Opens the store kept in the file at path, or one in memory alone if path is NULL.
 * Returns NULL with errno set if the file cannot be opened or read. */
struct store *store_open(const char *path);
void store_close(struct store *store);

/* The link of a key or NULL; the store's own, valid until the next call. */
struct link *store_find(struct store *store, const char *key);

/* Adds a link to the URL, which must be printable and at most STORE_URL_MAX bytes, under a new
 * random key. Returns it as store_find does, or NULL if memory or disk are full. */
struct link *store_add(struct store *store, const char *url);

/* Removes the link. False if the file cannot be written. */
bool store_remove(struct store *store, const char *key);

size_t store_count(const struct store *store);

#endif
