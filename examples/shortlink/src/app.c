#include "app.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void not_found(struct response *response)
{
    http_answer(response, 404, "no such link\n");
}

/* Only what can stand in a Location as it is: no spaces, no controls, nothing beyond ASCII. */
static bool url_is_valid(const char *url, size_t length)
{
    size_t scheme = 0;

    if (length >= 7 && strncmp(url, "http://", 7) == 0)
        scheme = 7;
    else if (length >= 8 && strncmp(url, "https://", 8) == 0)
        scheme = 8;
    if (scheme == 0 || scheme == length || strchr("/?#:", url[scheme]) != NULL)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (url[i] <= ' ' || url[i] >= 0x7f || strchr("\"<>\\^`{|}", url[i]) != NULL)
            return false;
    }
    return true;
}

/* GET / */
static void answer_root(struct app *app, const struct request *request, struct response *response)
{
    (void)request;
    http_answer(response, 200, "shortlink " VERSION ", %zu links\n", store_count(app->store));
}

/* GET /healthz */
static void answer_health(struct app *app, const struct request *request,
                          struct response *response)
{
    (void)app;
    (void)request;
    http_answer(response, 200, "ok\n");
}

/* POST /links */
static void answer_create(struct app *app, const struct request *request,
                          struct response *response)
{
    char url[HTTP_BODY_MAX + 1];
    size_t length = request->body_length;

    while (length > 0 && strchr("\r\n\t ", request->body[length - 1]) != NULL)
        length--;
    if (length > STORE_URL_MAX) {
        http_answer(response, 400, "the URL is longer than %d bytes\n", STORE_URL_MAX);
        return;
    }
    if (!url_is_valid(request->body, length)) {
        http_answer(response, 400, "the body must be a URL, http:// or https://\n");
        return;
    }
    memcpy(url, request->body, length);
    url[length] = '\0';

    struct link *link = store_add(app->store, url);
    if (link == NULL) {
        http_answer(response, 507, "the link cannot be stored\n");
        return;
    }
    http_answer(response, 201, "%s\n", link->key);
    snprintf(response->location, sizeof response->location, "/%s", link->key);
}

/* GET /KEY/stats */
static void answer_stats(struct link *link, struct response *response)
{
    response->type = "application/json";
    http_answer(response, 200, "{\"key\":\"%s\",\"hits\":%" PRIu64 "}\n", link->key, link->hits);
}

/* DELETE /KEY */
static void answer_delete(struct app *app, const char *key, struct response *response)
{
    if (!store_remove(app->store, key)) {
        http_answer(response, 507, "the deletion cannot be stored\n");
        return;
    }
    http_answer(response, 204, "%s", "");
}

/* GET /KEY */
static void answer_redirect(const struct request *request, struct link *link,
                            struct response *response)
{
    if (request->method == HTTP_GET)
        link->hits++;

    http_answer(response, 302, "%s", "");
    memcpy(response->location, link->url, strlen(link->url) + 1);
}

/* Everything below /KEY. */
static void answer_link(struct app *app, const struct request *request, struct response *response)
{
    const char *key_text = request->path + 1;
    size_t key_length = strcspn(key_text, "/");
    const char *rest = key_text + key_length;
    bool is_stats = strcmp(rest, "/stats") == 0;
    bool is_get = request->method == HTTP_GET || request->method == HTTP_HEAD;

    if (!key_is_valid(key_text, key_length) || (*rest != '\0' && !is_stats)) {
        not_found(response);
        return;
    }
    if (!is_get && (is_stats || request->method != HTTP_DELETE)) {
        response->allow = is_stats ? "GET, HEAD" : "GET, HEAD, DELETE";
        http_answer(response, 405, "allowed: %s\n", response->allow);
        return;
    }

    char key[KEY_LENGTH + 1];
    memcpy(key, key_text, key_length);
    key[key_length] = '\0';
    struct link *link = store_find(app->store, key);
    if (link == NULL)
        not_found(response);
    else if (is_stats)
        answer_stats(link, response);
    else if (is_get)
        answer_redirect(request, link, response);
    else
        answer_delete(app, key, response);
}

static const struct route {
    const char *path;
    const char *allow;
    enum http_method method;
    void (*answer)(struct app *, const struct request *, struct response *);
} routes[] = {
    {"/", "GET, HEAD", HTTP_GET, answer_root},
    {"/healthz", "GET, HEAD", HTTP_GET, answer_health},
    {"/links", "POST", HTTP_POST, answer_create},
};

void app_answer(struct app *app, const struct request *request, struct response *response)
{
    enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;

    *response = (struct response){0};
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(request->path, routes[i].path) != 0)
            continue;
        if (routes[i].method == method) {
            routes[i].answer(app, request, response);
        } else {
            response->allow = routes[i].allow;
            http_answer(response, 405, "allowed: %s\n", response->allow);
        }
        return;
    }
    answer_link(app, request, response);
}

void app_answer_invalid(int status, struct response *response)
{
    *response = (struct response){0};
    switch (status) {
    case 411:
        http_answer(response, status, "a body needs a Content-Length\n");
        break;
    case 413:
        http_answer(response, status, "a body has at most %d bytes\n", HTTP_BODY_MAX);
        break;
    case 414:
        http_answer(response, status, "a target has at most %d bytes\n", HTTP_TARGET_MAX);
        break;
    case 431:
        http_answer(response, status, "a header has at most %d bytes and %d fields\n",
                    HTTP_HEAD_MAX, HTTP_FIELDS_MAX);
        break;
    case 505:
        http_answer(response, status, "this server speaks HTTP/1.1\n");
        break;
    default:
        http_answer(response, status, "this is not an HTTP request\n");
        break;
    }
}
