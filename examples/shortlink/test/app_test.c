#include "app.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct app app;
static struct response response;

static void ask(enum http_method method, const char *path, const char *body)
{
    struct request request = {.method = method, .time = 1000000000};

    snprintf(request.path, sizeof request.path, "%s", path);
    request.body = body;
    request.body_length = strlen(body);
    if (app.store == NULL)
        app.store = store_open(NULL);
    app_answer(&app, &request, &response);
}

/* Makes a link and returns its path, "/KEY". */
static const char *make_link(const char *url)
{
    static char path[KEY_LENGTH + 2];

    ask(HTTP_POST, "/links", url);
    CHECK_INT(response.status, 201);
    snprintf(path, sizeof path, "%.*s", KEY_LENGTH + 1, response.location);
    return path;
}

/* Asks for something below the path of a link. */
static void ask_below(const char *path, const char *rest)
{
    char whole[64];

    snprintf(whole, sizeof whole, "%s%s", path, rest);
    ask(HTTP_GET, whole, "");
}

TEST(root_names_the_version)
{
    ask(HTTP_GET, "/", "");
    CHECK_INT(response.status, 200);
    CHECK(strstr(response.body, "shortlink " VERSION) != NULL);
}

TEST(healthz_is_ok)
{
    ask(HTTP_GET, "/healthz", "");
    CHECK_INT(response.status, 200);
    CHECK_STR(response.body, "ok\n");
}

TEST(create_answers_201_with_location)
{
    ask(HTTP_POST, "/links", "https://example.com/a?b=c#d");
    CHECK_INT(response.status, 201);
    CHECK_INT(strlen(response.location), KEY_LENGTH + 1);
    CHECK_INT(response.location[0], '/');
    CHECK_INT(memcmp(response.body, response.location + 1, KEY_LENGTH), 0);
}

TEST(redirect_is_302)
{
    const char *path = make_link("https://example.com/a?b=c#d");

    ask(HTTP_GET, path, "");
    CHECK_INT(response.status, 302);
    CHECK_STR(response.location, "https://example.com/a?b=c#d");
}

TEST(line_end_after_the_url_is_forgiven)
{
    const char *path = make_link("https://example.com/\r\n");

    ask(HTTP_GET, path, "");
    CHECK_STR(response.location, "https://example.com/");
}

TEST(stats_count_the_redirects)
{
    const char *path = make_link("https://example.com/");
    char wanted[64];

    for (int i = 0; i < 3; i++)
        ask(HTTP_GET, path, "");
    ask(HTTP_HEAD, path, "");
    ask_below(path, "/stats");
    CHECK_INT(response.status, 200);
    CHECK_STR(response.type, "application/json");
    snprintf(wanted, sizeof wanted, "{\"key\":\"%s\",\"hits\":3}\n", path + 1);
    CHECK_STR(response.body, wanted);
}

TEST(delete_then_follow)
{
    const char *path = make_link("https://example.com/");

    ask(HTTP_DELETE, path, "");
    CHECK_INT(response.status, 204);
    ask(HTTP_GET, path, "");
    CHECK_INT(response.status, 404);
    ask(HTTP_DELETE, path, "");
    CHECK_INT(response.status, 404);
}

TEST(unknown_path_is_404)
{
    ask(HTTP_GET, "/nothing", "");
    CHECK_INT(response.status, 404);
    ask(HTTP_GET, "/abcdefgh", "");
    CHECK_INT(response.status, 404);
    ask_below(make_link("https://example.com/"), "/other");
    CHECK_INT(response.status, 404);
}

TEST(wrong_method_is_405_and_says_the_right_one)
{
    ask(HTTP_GET, "/links", "");
    CHECK_INT(response.status, 405);
    CHECK_STR(response.allow, "POST");
    ask(HTTP_POST, make_link("https://example.com/"), "");
    CHECK_INT(response.status, 405);
    CHECK_STR(response.allow, "GET, HEAD, DELETE");
    ask(HTTP_OTHER, "/healthz", "");
    CHECK_INT(response.status, 405);
}

TEST(body_must_be_a_url)
{
    static const char *const bodies[] = {
        "", "example.com", "ftp://example.com/", "http://", "https:///path", "javascript:alert(1)",
        "https://example.com/a b", "https://example.com/\r\nSet-Cookie: a=b",
        "https://example.com/\xc3\xa9", "https://example.com/\"",
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        ask(HTTP_POST, "/links", bodies[i]);
        if (response.status != 400)
            check_fail(__FILE__, __LINE__, "\"%s\" is answered %d", bodies[i], response.status);
    }
    CHECK_INT(store_count(app.store), 0);
}

TEST(url_has_at_most_2048_bytes)
{
    char url[STORE_URL_MAX + 2];

    memset(url, 'x', sizeof url);
    memcpy(url, "https://", 8);
    url[STORE_URL_MAX + 1] = '\0';
    ask(HTTP_POST, "/links", url);
    CHECK_INT(response.status, 400);
    url[STORE_URL_MAX] = '\0';
    ask(HTTP_GET, make_link(url), "");
    CHECK_STR(response.location, url);
}
