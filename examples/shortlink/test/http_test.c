#include "check.h"
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct request request;

static enum http_result parse(const char *text)
{
    return http_parse(text, strlen(text), &request);
}

/* The status code that the text is refused with; 0 if it is not. */
static int refusal(const char *text)
{
    return parse(text) == HTTP_INVALID ? request.error : 0;
}

static char *repeat(char letter, size_t count)
{
    char *text = malloc(count + 1);

    CHECK(text != NULL);
    memset(text, letter, count);
    text[count] = '\0';
    return text;
}

TEST(simple_get)
{
    const char *text = "GET /abc?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";

    CHECK_INT(parse(text), HTTP_COMPLETE);
    CHECK_INT(request.method, HTTP_GET);
    CHECK_STR(request.path, "/abc");
    CHECK_INT(request.size, strlen(text));
    CHECK(request.keep_alive);
}

TEST(post_with_body)
{
    CHECK_INT(parse("POST /links HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhelloGET"),
              HTTP_COMPLETE);
    CHECK_INT(request.method, HTTP_POST);
    CHECK_INT(request.body_length, 5);
    CHECK_INT(memcmp(request.body, "hello", 5), 0);
}

TEST(any_beginning_is_incomplete)
{
    const char *text = "POST /links HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

    for (size_t length = 0; length < strlen(text); length++)
        CHECK_INT(http_parse(text, length, &request), HTTP_INCOMPLETE);
    CHECK_INT(http_parse(text, strlen(text), &request), HTTP_COMPLETE);
}

TEST(two_requests_in_one_read)
{
    const char *text = "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";

    CHECK_INT(parse(text), HTTP_COMPLETE);
    CHECK_STR(request.path, "/a");
    CHECK_INT(parse(text + request.size), HTTP_COMPLETE);
    CHECK_STR(request.path, "/b");
}

TEST(absolute_target)
{
    CHECK_INT(parse("GET http://example.com/abc HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_COMPLETE);
    CHECK_STR(request.path, "/abc");
    CHECK_INT(parse("GET http://example.com HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_COMPLETE);
    CHECK_STR(request.path, "/");
}

TEST(keep_alive_as_version_and_connection_say)
{
    parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    CHECK(!request.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: te , Close\r\n\r\n");
    CHECK(!request.keep_alive);
    parse("GET / HTTP/1.0\r\n\r\n");
    CHECK(!request.keep_alive);
    parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(request.keep_alive);
}

TEST(malformed_is_400)
{
    CHECK_INT(refusal("GET\r\n\r\n"), 400);
    CHECK_INT(refusal("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400);
    CHECK_INT(refusal("GET  HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    CHECK_INT(refusal("GET abc HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    CHECK_INT(refusal("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    CHECK_INT(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
    CHECK_INT(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
    CHECK_INT(refusal("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
    CHECK_INT(refusal("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"), 400);
    CHECK_INT(refusal("GET / HTTP/1.1\n\n"), 400);
    CHECK_INT(refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
}

TEST(length_must_be_one_number)
{
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"), 400);
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\n"), 400);
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"), 400);
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                      "Content-Length: 6\r\n\r\n"), 400);
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(body_without_length_is_411)
{
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), 411);
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 411);
}

TEST(long_body_is_413)
{
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n"), 413);
    CHECK_INT(refusal("POST / HTTP/1.1\r\nHost: a\r\n"
                      "Content-Length: 18446744073709551617\r\n\r\n"), 413);
    CHECK_INT(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4096\r\n\r\n"),
              HTTP_INCOMPLETE);
}

TEST(long_target_is_414)
{
    char text[HTTP_TARGET_MAX + 64];
    char *longest = repeat('x', HTTP_TARGET_MAX - 1);
    char *endless = repeat('x', 3000);

    snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", longest);
    CHECK_INT(parse(text), HTTP_COMPLETE);
    snprintf(text, sizeof text, "GET /%sx HTTP/1.1\r\nHost: a\r\n\r\n", longest);
    CHECK_INT(refusal(text), 414);
    CHECK_INT(refusal(endless), 414);
}

TEST(long_header_is_431)
{
    char text[2 * HTTP_HEAD_MAX];
    char *value = repeat('x', HTTP_HEAD_MAX);

    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: %s", value);
    CHECK_INT(refusal(text), 431);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", value);
    CHECK_INT(refusal(text), 431);

    size_t length = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "X%d: y\r\n", i);
    snprintf(text + length, sizeof text - length, "\r\n");
    CHECK_INT(refusal(text), 431);
}

TEST(noise_is_never_a_crash)
{
    static const char *const seeds[] = {
        "POST /links HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: a, b\r\n\r\nhello",
        "GET http://a/b?c HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
    };
    unsigned long random = 1;

    for (int round = 0; round < 50000; round++) {
        const char *seed = seeds[round % 2];
        size_t length = strlen(seed);
        char *text = malloc(length); /* exactly as long, so that a tool can see one byte too far */
        CHECK(text != NULL);
        memcpy(text, seed, length);
        for (int i = 0; i < 3; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            text[(random >> 33) % length] = (char)(random >> 56);
        }
        if (http_parse(text, length, &request) == HTTP_COMPLETE)
            CHECK(request.size <= length);
        free(text);
    }
}

TEST(response_in_full)
{
    char out[HTTP_RESPONSE_MAX];
    struct response response = {0};

    request = (struct request){.method = HTTP_GET, .time = 784111777};
    http_answer(&response, 404, "no such %s\n", "link");
    size_t length = http_write(&request, &response, true, out);
    out[length] = '\0';
    CHECK_STR(out, "HTTP/1.1 404 Not Found\r\n"
                   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                   "Server: shortlink/" VERSION "\r\n"
                   "Content-Type: text/plain; charset=utf-8\r\n"
                   "Content-Length: 13\r\n"
                   "Connection: keep-alive\r\n"
                   "\r\n"
                   "no such link\n");
}

TEST(head_has_the_header_of_get_alone)
{
    char get[HTTP_RESPONSE_MAX];
    char head[HTTP_RESPONSE_MAX];
    struct response response = {0};

    http_answer(&response, 200, "ok\n");
    request = (struct request){.method = HTTP_GET};
    size_t get_length = http_write(&request, &response, true, get);
    request.method = HTTP_HEAD;
    size_t head_length = http_write(&request, &response, true, head);
    CHECK_INT(get_length, head_length + 3);
    CHECK_INT(memcmp(get, head, head_length), 0);
}
