/* app.h - what shortlink answers: one request in, one response out. No sockets.
 *
 *   POST /links       a URL as body       201, the key as body, Location: /KEY
 *   GET /KEY                              302, Location: the URL
 *   GET /KEY/stats                        200, {"key":"...","hits":N}
 *   DELETE /KEY                           204
 *   GET /healthz                          200, ok
 *   GET /                                 200, name and version
 */
#ifndef APP_H
#define APP_H

#include "http.h"
#include "store.h"

struct app {
    struct store *store;
};

/* Answers a complete request. */
void app_answer(struct app *app, const struct request *request, struct response *response);

/* Answers a request that http_parse found invalid. */
void app_answer_invalid(int status, struct response *response);

#endif
