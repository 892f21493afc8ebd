/* http.h - HTTP/1.1 messages as bytes (RFC 9110, RFC 9112): no sockets, no clock.
 *
 * Every size has a limit, and whoever goes over it gets the status code that says so: 413 for the
 * body, 414 for the target, 431 for the header. A body needs a Content-Length (else 411).
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum {
    HTTP_TARGET_MAX = 2048,
    HTTP_HEAD_MAX = 8192, /* request line and fields */
    HTTP_FIELDS_MAX = 64,
    HTTP_BODY_MAX = 4096,
    HTTP_REQUEST_MAX = 2 + HTTP_HEAD_MAX + 4 + HTTP_BODY_MAX,
    HTTP_RESPONSE_MAX = 4096,
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_DELETE, HTTP_OTHER };

enum http_result {
    HTTP_INCOMPLETE, /* read on; head_complete says how far it is */
    HTTP_COMPLETE,   /* the request is in the first `size` bytes */
    HTTP_INVALID,    /* answer with `error` and close: what follows cannot be understood */
};

struct request {
    enum http_method method;
    char path[HTTP_TARGET_MAX + 1]; /* of the target, without its query */
    const char *body;               /* points into the bytes that were parsed */
    size_t body_length;
    size_t size; /* bytes, header and body */
    time_t time; /* when it came, set by who received it */
    int error;   /* status code of an HTTP_INVALID */
    bool keep_alive;
    bool head_complete;
    bool expects_continue; /* the client waits for "100 Continue" before it sends the body */
};

struct response {
    int status;
    const char *type;  /* of the body; NULL: text/plain */
    const char *allow; /* methods, for a 405; else NULL */
    char location[HTTP_TARGET_MAX + 1];
    char body[256];
};

/* Parses the request at the beginning of the bytes. */
enum http_result http_parse(const char *data, size_t length, struct request *request);

/* Sets a status and a text as printf. Location and allow stay as they are. */
void http_answer(struct response *response, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the response to the request, into at least HTTP_RESPONSE_MAX bytes; returns its length. */
size_t http_write(const struct request *request, const struct response *response, bool keep_alive,
                  char out[HTTP_RESPONSE_MAX]);

#endif
