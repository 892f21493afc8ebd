/* server.h - the loop between sockets and the app: one thread, epoll, HTTP/1.1 with keep-alive.
 *
 * A connection has one state:
 *
 *   OPEN       reading requests, answering in order
 *   FINISHING  the last answer is being written
 *   LINGERING  written; what the client still sends is thrown away until it closes, for closing
 *              with unread bytes would reset the connection and could destroy the answer
 *
 * Each state has a deadline, so nobody holds a connection for nothing. At SIGTERM or SIGINT the
 * server takes what already waits to be accepted, stops listening, answers what is under way and
 * returns, after five seconds at the latest.
 */
#ifndef SERVER_H
#define SERVER_H

#include "app.h"

#include <stdbool.h>

/* Listens on a numeric address; port 0 picks a free one. Returns the socket, or -1 with errno set;
 * EINVAL if the address is not numeric. `port` becomes the one in use. From here on the stop
 * signals wait for server_run. */
int server_listen(const char *host, int *port);

/* Serves until a signal says to stop; the socket is closed then. False with errno set if the loop
 * cannot be set up. */
bool server_run(int listener, struct app *app);

#endif
