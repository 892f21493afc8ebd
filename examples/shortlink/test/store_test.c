#include "check.h"
#include "store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file of this test's own; gone from the folder as soon as the test is over. */
static char path[64];

static void remove_file(void)
{
    unlink(path);
}

static void use_file(void)
{
    snprintf(path, sizeof path, "build/store-%ld.log", (long)getpid());
    remove_file();
}

static void append_text(const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND);

    CHECK(fd >= 0);
    CHECK_INT(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void add(struct store *store, const char *url, char key[KEY_LENGTH + 1])
{
    struct link *link = store_add(store, url);

    CHECK(link != NULL);
    CHECK_STR(link->url, url);
    memcpy(key, link->key, KEY_LENGTH + 1);
}

TEST(added_link_is_found)
{
    struct store *store = store_open(NULL);
    char key[KEY_LENGTH + 1];

    add(store, "https://example.com/", key);
    CHECK(store_find(store, key) != NULL);
    CHECK_STR(store_find(store, key)->url, "https://example.com/");
    CHECK_INT(store_count(store), 1);
    store_close(store);
}

TEST(removed_link_is_gone)
{
    struct store *store = store_open(NULL);
    char key[KEY_LENGTH + 1];

    add(store, "https://example.com/", key);
    CHECK(store_remove(store, key));
    CHECK(store_find(store, key) == NULL);
    CHECK_INT(store_count(store), 0);
    store_close(store);
}

TEST(one_url_twice_has_two_keys)
{
    struct store *store = store_open(NULL);
    char one[KEY_LENGTH + 1];
    char other[KEY_LENGTH + 1];

    add(store, "https://example.com/", one);
    add(store, "https://example.com/", other);
    CHECK(strcmp(one, other) != 0);
    store_close(store);
}

TEST(twenty_thousand_links_are_found)
{
    enum { COUNT = 20000 };
    static char keys[COUNT][KEY_LENGTH + 1];
    struct store *store = store_open(NULL);
    char url[64];

    for (int i = 0; i < COUNT; i++) {
        snprintf(url, sizeof url, "https://example.com/%d", i);
        add(store, url, keys[i]);
    }
    CHECK_INT(store_count(store), COUNT);
    for (int i = 0; i < COUNT; i++) {
        snprintf(url, sizeof url, "https://example.com/%d", i);
        CHECK_STR(store_find(store, keys[i])->url, url);
    }
    store_close(store);
}

TEST(links_survive_a_restart)
{
    char kept[KEY_LENGTH + 1];
    char removed[KEY_LENGTH + 1];

    use_file();
    struct store *store = store_open(path);
    add(store, "https://example.com/kept", kept);
    add(store, "https://example.com/removed", removed);
    CHECK(store_remove(store, removed));
    store_close(store);

    store = store_open(path);
    CHECK_INT(store_count(store), 1);
    CHECK_STR(store_find(store, kept)->url, "https://example.com/kept");
    store_close(store);
    remove_file();
}

TEST(two_stores_on_one_file_see_each_other)
{
    char key[KEY_LENGTH + 1];

    use_file();
    struct store *old = store_open(path);
    struct store *new = store_open(path);
    add(old, "https://example.com/", key);
    CHECK(store_find(new, key) != NULL);
    CHECK(store_remove(new, key));
    CHECK(store_find(old, key) == NULL);
    store_close(old);
    store_close(new);
    remove_file();
}

TEST(line_cut_by_a_crash_is_skipped)
{
    char before[KEY_LENGTH + 1];
    char after[KEY_LENGTH + 1];

    use_file();
    struct store *store = store_open(path);
    add(store, "https://example.com/before", before);
    append_text("+ abcdefgh 25 https://exam");
    store_close(store);

    store = store_open(path);
    CHECK_INT(store_count(store), 1);
    add(store, "https://example.com/after", after);
    store_close(store);

    store = store_open(path);
    CHECK_INT(store_count(store), 2);
    CHECK(store_find(store, "abcdefgh") == NULL);
    CHECK_STR(store_find(store, before)->url, "https://example.com/before");
    CHECK_STR(store_find(store, after)->url, "https://example.com/after");
    store_close(store);
    remove_file();
}

TEST(long_urls_survive_a_restart)
{
    enum { COUNT = 100 };
    static char keys[COUNT][KEY_LENGTH + 1];
    char url[STORE_URL_MAX + 1];

    use_file();
    memset(url, 'x', sizeof url - 1);
    memcpy(url, "https://", 8);
    url[STORE_URL_MAX] = '\0';
    struct store *store = store_open(path);
    for (int i = 0; i < COUNT; i++)
        add(store, url, keys[i]);
    store_close(store);

    store = store_open(path);
    CHECK_INT(store_count(store), COUNT);
    for (int i = 0; i < COUNT; i++)
        CHECK_STR(store_find(store, keys[i])->url, url);
    store_close(store);
    remove_file();
}

TEST(store_that_cannot_be_opened_says_so)
{
    CHECK(store_open("build/no/such/folder/file") == NULL);
}
