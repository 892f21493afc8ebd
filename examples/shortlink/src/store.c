#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUCKETS_FIRST = 1024,
    BYTES_MAX = 256 << 20, /* of links in memory */
    LINE_MAX_BYTES = STORE_URL_MAX + KEY_LENGTH + 16,
    READ_BYTES = 64 << 10,
};

struct store {
    struct link **buckets; /* a power of two of them */
    size_t bucket_count;
    size_t link_count;
    size_t bytes;
    int fd;         /* -1: memory alone */
    off_t read_end; /* up to where memory has read the file: the end of a line */
    bool torn;      /* the file ends inside a line: the next append must begin a new one */
};

static struct link **bucket_of(const struct store *store, const char *key)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    return &store->buckets[hash & (store->bucket_count - 1)];
}

static struct link **place_of(const struct store *store, const char *key)
{
    struct link **place = bucket_of(store, key);

    while (*place != NULL && strcmp((*place)->key, key) != 0)
        place = &(*place)->next;
    return place;
}

static size_t link_bytes(size_t url_length)
{
    return sizeof(struct link) + url_length + 1;
}

/* A bigger table is only faster, so not getting one is no error. */
static void grow(struct store *store)
{
    struct link **old = store->buckets;
    size_t old_count = store->bucket_count;
    struct link **buckets = calloc(old_count * 2, sizeof *buckets);

    if (buckets == NULL)
        return;
    store->buckets = buckets;
    store->bucket_count = old_count * 2;
    for (size_t i = 0; i < old_count; i++) {
        for (struct link *link = old[i], *next; link != NULL; link = next) {
            struct link **place = bucket_of(store, link->key);
            next = link->next;
            link->next = *place;
            *place = link;
        }
    }
    free(old);
}

static bool insert(struct store *store, const char *key, const char *url, size_t url_length)
{
    struct link **place = place_of(store, key);

    if (*place != NULL)
        return true;
    if (store->bytes + link_bytes(url_length) > BYTES_MAX)
        return false;

    struct link *link = malloc(link_bytes(url_length));
    if (link == NULL)
        return false;
    memcpy(link->key, key, KEY_LENGTH + 1);
    link->hits = 0;
    link->next = NULL;
    memcpy(link->url, url, url_length);
    link->url[url_length] = '\0';
    *place = link;
    store->bytes += link_bytes(url_length);
    if (++store->link_count > store->bucket_count)
        grow(store);
    return true;
}

static void erase(struct store *store, const char *key)
{
    struct link **place = place_of(store, key);
    struct link *link = *place;

    if (link == NULL)
        return;
    *place = link->next;
    store->bytes -= link_bytes(strlen(link->url));
    store->link_count--;
    free(link);
}

/* Applies one line of the log, without its newline; skips what is not a whole line. */
static bool apply(struct store *store, const char *line, size_t length)
{
    char key[KEY_LENGTH + 1];

    if (length < 2 + KEY_LENGTH || line[1] != ' ' || !key_is_valid(line + 2, KEY_LENGTH))
        return true;
    memcpy(key, line + 2, KEY_LENGTH);
    key[KEY_LENGTH] = '\0';

    if (line[0] == '-' && length == 2 + KEY_LENGTH) {
        erase(store, key);
        return true;
    }
    if (line[0] != '+')
        return true;

    size_t at = 2 + KEY_LENGTH + 1;
    size_t url_length = 0;
    while (at < length && line[at] >= '0' && line[at] <= '9' && url_length <= STORE_URL_MAX)
        url_length = url_length * 10 + (size_t)(line[at++] - '0');
    at++;
    if (url_length > STORE_URL_MAX || at + url_length != length)
        return true;
    return insert(store, key, line + at, url_length);
}

/* Reads what was appended to the file since the last time, by this process or another. */
static bool catch_up(struct store *store)
{
    struct stat status;
    char buffer[READ_BYTES];

    if (store->fd < 0)
        return true;
    if (fstat(store->fd, &status) < 0)
        return false;
    while (store->read_end < status.st_size) {
        ssize_t count = pread(store->fd, buffer, sizeof buffer, store->read_end);
        if (count <= 0)
            return count == 0;

        const char *line = buffer;
        const char *end = buffer + count;
        for (const char *newline; (newline = memchr(line, '\n', (size_t)(end - line))) != NULL;
             line = newline + 1) {
            if (!apply(store, line, (size_t)(newline - line)))
                return false;
        }
        if (line == buffer && count == READ_BYTES)
            line = end; /* no line of ours is so long: skip it */
        store->read_end += line - buffer;
        store->torn = line != end;
        if (line == buffer)
            return true; /* another process is still writing, or died while it did */
    }
    return true;
}

/* Makes the line part of the log, and memory what the log says. */
static bool append(struct store *store, const char *line, size_t length)
{
    char bytes[LINE_MAX_BYTES + 2];
    size_t size = 0;

    if (store->fd < 0)
        return apply(store, line, length);
    if (store->torn)
        bytes[size++] = '\n';
    memcpy(bytes + size, line, length);
    size += length;
    bytes[size++] = '\n';

    ssize_t written = write(store->fd, bytes, size);
    if (written != (ssize_t)size) {
        store->torn = store->torn || written > 0;
        return false;
    }
    return catch_up(store);
}

struct store *store_open(const char *path)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL)
        return NULL;
    store->fd = -1;
    store->bucket_count = BUCKETS_FIRST;
    store->buckets = calloc(store->bucket_count, sizeof(struct link *));
    if (store->buckets == NULL)
        goto fail;
    if (path != NULL) {
        store->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (store->fd < 0 || !catch_up(store))
            goto fail;
    }
    return store;

fail:;
    int error = errno;
    store_close(store);
    errno = error;
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; store->buckets != NULL && i < store->bucket_count; i++) {
        for (struct link *link = store->buckets[i], *next; link != NULL; link = next) {
            next = link->next;
            free(link);
        }
    }
    if (store->fd >= 0)
        close(store->fd);
    free(store->buckets);
    free(store);
}

struct link *store_find(struct store *store, const char *key)
{
    catch_up(store);
    return *place_of(store, key);
}

struct link *store_add(struct store *store, const char *url)
{
    char key[KEY_LENGTH + 1];
    char line[LINE_MAX_BYTES + 1];
    size_t url_length = strlen(url);
    uint64_t random;

    if (url_length > STORE_URL_MAX || store->bytes + link_bytes(url_length) > BYTES_MAX)
        return NULL;
    do {
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            return NULL;
        key_make(random, key);
    } while (store_find(store, key) != NULL);

    int length = snprintf(line, sizeof line, "+ %s %zu %s", key, url_length, url);
    return append(store, line, (size_t)length) ? *place_of(store, key) : NULL;
}

bool store_remove(struct store *store, const char *key)
{
    char line[2 + KEY_LENGTH + 1];
    int length = snprintf(line, sizeof line, "- %.*s", KEY_LENGTH, key);

    return append(store, line, (size_t)length);
}

size_t store_count(const struct store *store)
{
    return store->link_count;
}
