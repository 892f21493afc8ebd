#include "http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What the fields of one request say about its shape. */
struct framing {
    size_t hosts;
    bool has_length;
    bool has_encoding;
    bool close;
    bool keep_alive;
};

static bool is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static enum http_method method_of(const char *text, size_t length)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "DELETE"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (length == strlen(names[i]) && memcmp(text, names[i], length) == 0)
            return (enum http_method)i;
    }
    return HTTP_OTHER;
}

/* Takes the path out of "/path?query" or "http://host/path?query". Returns 0 or a status code. */
static int parse_target(struct request *request, const char *target, size_t length)
{
    if (length > HTTP_TARGET_MAX)
        return 414;
    if (length > 7 && strncasecmp(target, "http://", 7) == 0) {
        const char *slash = memchr(target + 7, '/', length - 7);
        length = slash == NULL ? 0 : length - (size_t)(slash - target);
        target = slash;
        if (length == 0) {
            target = "/";
            length = 1;
        }
    }
    if (length == 0 || target[0] != '/')
        return 400;
    for (size_t i = 0; i < length; i++) {
        if (target[i] <= ' ' || target[i] >= 0x7f)
            return 400;
    }
    const char *query = memchr(target, '?', length);
    if (query != NULL)
        length = (size_t)(query - target);
    memcpy(request->path, target, length);
    request->path[length] = '\0';
    return 0;
}

/* "METHOD SP target SP HTTP/1.x". Returns 0 or a status code. */
static int parse_request_line(struct request *request, const char *line, size_t length)
{
    const char *end = line + length;
    const char *first = memchr(line, ' ', length);
    const char *last = memrchr(line, ' ', length);

    if (first == NULL || first == line || first == last)
        return 400;
    if (end - last != 9 || memcmp(last, " HTTP/", 6) != 0 || last[7] != '.')
        return 400;
    if (last[6] != '1')
        return 505;
    request->method = method_of(line, (size_t)(first - line));
    request->keep_alive = last[8] != '0';
    return parse_target(request, first + 1, (size_t)(last - first - 1));
}

/* Digits, and nothing but digits: a length read in two ways is how requests are smuggled. */
static int parse_content_length(struct request *request, struct framing *framing,
                                const char *value, size_t length)
{
    size_t number = 0;

    if (length == 0)
        return 400;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return 400;
        if (number <= HTTP_BODY_MAX)
            number = number * 10 + (size_t)(value[i] - '0');
    }
    if (framing->has_length && number != request->body_length)
        return 400;
    framing->has_length = true;
    request->body_length = number;
    return 0;
}

/* "Connection: close, te" is a list. */
static void parse_connection(struct framing *framing, const char *value, size_t length)
{
    const char *end = value + length;

    while (value < end) {
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *stop = comma == NULL ? end : comma;
        const char *last = stop;
        while (value < last && (*value == ' ' || *value == '\t'))
            value++;
        while (last > value && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        framing->close |= is(value, (size_t)(last - value), "close");
        framing->keep_alive |= is(value, (size_t)(last - value), "keep-alive");
        value = stop + 1;
    }
}

/* "Name: value". Returns 0 or a status code. */
static int parse_field(struct request *request, struct framing *framing, const char *line,
                       size_t length)
{
    const char *colon = memchr(line, ':', length);

    if (colon == NULL || colon == line)
        return 400;
    for (const char *at = line; at < colon; at++) {
        if (*at <= ' ' || *at >= 0x7f)
            return 400; /* also a folded line, and a space before the colon */
    }
    const char *value = colon + 1;
    const char *end = line + length;
    for (const char *at = value; at < end; at++) {
        if ((*at >= 0 && *at < ' ' && *at != '\t') || *at == 0x7f)
            return 400;
    }
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;

    size_t name_length = (size_t)(colon - line);
    size_t value_length = (size_t)(end - value);
    if (is(line, name_length, "Content-Length"))
        return parse_content_length(request, framing, value, value_length);
    if (is(line, name_length, "Host"))
        framing->hosts++;
    else if (is(line, name_length, "Transfer-Encoding"))
        framing->has_encoding = true;
    else if (is(line, name_length, "Connection"))
        parse_connection(framing, value, value_length);
    else if (is(line, name_length, "Expect") && is(value, value_length, "100-continue"))
        request->expects_continue = true;
    return 0;
}

/* From the request line to the last field, without the empty line. Returns 0 or a status code. */
static int parse_head(struct request *request, const char *head, size_t length)
{
    struct framing framing = {0};
    const char *end = head + length;
    const char *line = head;

    for (int number = 0; line < end; number++) {
        const char *stop = memmem(line, (size_t)(end - line), "\r\n", 2);
        size_t line_length = (size_t)((stop == NULL ? end : stop) - line);
        int error = number == 0 ? parse_request_line(request, line, line_length)
                                : parse_field(request, &framing, line, line_length);
        if (error == 0 && number > HTTP_FIELDS_MAX)
            error = 431;
        if (error != 0)
            return error;
        line += line_length + 2;
    }
    if (framing.hosts > 1 || (framing.hosts == 0 && request->keep_alive))
        return 400; /* HTTP/1.1 needs a Host; at this point keep_alive still means 1.1 */
    if (framing.has_encoding)
        return framing.has_length ? 400 : 411;
    if (request->method == HTTP_POST && !framing.has_length)
        return 411;
    if (request->body_length > HTTP_BODY_MAX)
        return 413;
    request->keep_alive = (request->keep_alive || framing.keep_alive) && !framing.close;
    return 0;
}

/* What to say about a header that has no end yet. Returns 0: read on, or a status code. */
static int judge_partial_head(const char *head, size_t length)
{
    const char *newline = memchr(head, '\n', length);

    if (newline == NULL)
        return length > HTTP_TARGET_MAX + 32 ? 414 : 0;
    if (newline == head || newline[-1] != '\r')
        return 400;
    return length > HTTP_HEAD_MAX ? 431 : 0;
}

static enum http_result invalid(struct request *request, int error)
{
    request->error = error;
    request->keep_alive = false;
    return HTTP_INVALID;
}

enum http_result http_parse(const char *data, size_t length, struct request *request)
{
    *request = (struct request){.method = HTTP_OTHER};

    /* RFC 9112 2.2: an empty line before a request is forgiven. */
    size_t skip = length >= 2 && memcmp(data, "\r\n", 2) == 0 ? 2 : 0;
    const char *head = data + skip;
    const char *end = memmem(head, length - skip, "\r\n\r\n", 4);
    if (end == NULL) {
        int error = judge_partial_head(head, length - skip);
        return error != 0 ? invalid(request, error) : HTTP_INCOMPLETE;
    }

    size_t head_length = (size_t)(end - head);
    int error = parse_head(request, head, head_length);
    if (error == 0 && head_length > HTTP_HEAD_MAX)
        error = 431;
    if (error != 0)
        return invalid(request, error);
    request->head_complete = true;
    request->body = end + 4;
    request->size = skip + head_length + 4 + request->body_length;
    return request->size <= length ? HTTP_COMPLETE : HTTP_INCOMPLETE;
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
    }
}

void http_answer(struct response *response, int status, const char *format, ...)
{
    va_list arguments;

    response->status = status;
    va_start(arguments, format);
    vsnprintf(response->body, sizeof response->body, format, arguments);
    va_end(arguments);
}

size_t http_write(const struct request *request, const struct response *response, bool keep_alive,
                  char out[HTTP_RESPONSE_MAX])
{
    bool has_body = response->status != 204;
    bool has_location = response->location[0] != '\0';
    size_t body_length = strlen(response->body);
    char date[40] = "";
    char length_line[48] = "";
    struct tm when;

    if (gmtime_r(&request->time, &when) != NULL)
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &when);
    if (has_body)
        snprintf(length_line, sizeof length_line, "Content-Length: %zu\r\n", body_length);

    /* The longest parts are the location (2048) and the body (256): 4096 holds all. */
    int length = snprintf(out, HTTP_RESPONSE_MAX,
                          "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: shortlink/" VERSION "\r\n"
                          "Content-Type: %s\r\n%s%s%s%s%s%s%s%s\r\n",
                          response->status, reason_of(response->status), date,
                          response->type != NULL ? response->type : "text/plain; charset=utf-8",
                          length_line, has_location ? "Location: " : "", response->location,
                          has_location ? "\r\n" : "", response->allow != NULL ? "Allow: " : "",
                          response->allow != NULL ? response->allow : "",
                          response->allow != NULL ? "\r\n" : "",
                          keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
    size_t size = (size_t)length;
    if (has_body && request->method != HTTP_HEAD) {
        memcpy(out + size, response->body, body_length);
        size += body_length;
    }
    return size;
}
