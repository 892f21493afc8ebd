#include "server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 4096,
    DESCRIPTORS_RESERVED = 16,
    BACKLOG = 1024,
    EVENTS = 128,
    OUT_BYTES = 2 * HTTP_RESPONSE_MAX,
    TICK_MS = 500,
    DRAIN_TICK_MS = 10,

    REQUEST_MS = 10 * 1000, /* from the first byte of a request to its last */
    IDLE_MS = 60 * 1000,    /* between two requests */
    WRITE_MS = 10 * 1000,   /* without the client taking a byte */
    LINGER_MS = 1000,
    DRAIN_MS = 5 * 1000, /* from the signal to the end, whatever happens */
    QUIET_MS = 50,       /* while stopping: an idle connection may bring one more request so long */
};

enum state { OPEN, FINISHING, LINGERING };

struct connection {
    struct connection *previous, *next;
    int fd;
    enum state state;
    uint32_t interest; /* what epoll watches */
    int64_t deadline_ms;
    int64_t active_ms; /* of the last byte in or out */
    bool ended;        /* the client will send no more */
    bool continued;    /* "100 Continue" was sent for the request being read */
    size_t in_length;
    size_t out_start, out_end;
    char in[HTTP_REQUEST_MAX];
    char out[OUT_BYTES];
};

struct server {
    struct app *app;
    struct connection *connections;
    size_t connection_count;
    size_t connections_max;
    int epoll;
    int listener; /* -1: stopping */
    int signals;
    bool accepting; /* false: full, epoll does not watch the listener */
    int64_t now_ms;
    time_t now;
    int64_t stop_ms; /* when to be gone, once stopping */
};

static void read_clocks(struct server *server)
{
    struct timespec monotonic;

    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    server->now_ms = (int64_t)monotonic.tv_sec * 1000 + monotonic.tv_nsec / 1000000;
    server->now = time(NULL);
}

static bool watch(struct server *server, int operation, int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};

    return epoll_ctl(server->epoll, operation, fd, &event) == 0;
}

static void set_accepting(struct server *server, bool accepting)
{
    if (server->listener >= 0 && server->accepting != accepting &&
        watch(server, EPOLL_CTL_MOD, server->listener, accepting ? EPOLLIN : 0, &server->listener))
        server->accepting = accepting;
}

static void connection_close(struct server *server, struct connection *connection)
{
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    close(connection->fd);
    free(connection);
    server->connection_count--;
    set_accepting(server, true);
}

static void connection_open(struct server *server, int fd)
{
    struct connection *connection = malloc(sizeof *connection);
    int on = 1;

    if (connection == NULL || !watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, connection)) {
        free(connection);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->previous = NULL;
    connection->next = server->connections;
    connection->fd = fd;
    connection->state = OPEN;
    connection->interest = EPOLLIN;
    connection->deadline_ms = server->now_ms + REQUEST_MS;
    connection->active_ms = server->now_ms;
    connection->ended = connection->continued = false;
    connection->in_length = connection->out_start = connection->out_end = 0;
    if (server->connections != NULL)
        server->connections->previous = connection;
    server->connections = connection;
    server->connection_count++;
}

static void accept_all(struct server *server)
{
    for (;;) {
        if (server->connection_count >= server->connections_max) {
            set_accepting(server, false);
            return;
        }
        int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            connection_open(server, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            set_accepting(server, false);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static size_t out_free(const struct connection *connection)
{
    return OUT_BYTES - connection->out_end;
}

static void put_response(struct server *server, struct connection *connection,
                         const struct request *request, const struct response *response)
{
    bool keep_alive = request->keep_alive && server->listener >= 0;

    connection->out_end += http_write(request, response, keep_alive,
                                      connection->out + connection->out_end);
    if (!keep_alive)
        connection->state = FINISHING;
}

/* Lets a client that waits for leave to send its body do so, once. */
static void put_continue(struct connection *connection, const struct request *request)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (!request->head_complete || !request->expects_continue || connection->continued)
        return;
    memcpy(connection->out + connection->out_end, line, sizeof line - 1);
    connection->out_end += sizeof line - 1;
    connection->continued = true;
}

/* Answers the requests that are complete, while there is room for the answers. */
static void answer_requests(struct server *server, struct connection *connection)
{
    struct request request;
    struct response response;
    size_t at = 0;

    while (connection->state == OPEN && out_free(connection) >= HTTP_RESPONSE_MAX) {
        enum http_result result =
            http_parse(connection->in + at, connection->in_length - at, &request);
        request.time = server->now;
        if (result == HTTP_INCOMPLETE) {
            put_continue(connection, &request);
            if (connection->ended)
                connection->state = FINISHING;
            break;
        }
        if (result == HTTP_COMPLETE)
            app_answer(server->app, &request, &response);
        else
            app_answer_invalid(request.error, &response);
        put_response(server, connection, &request, &response);
        connection->continued = false;
        at += request.size;
        connection->deadline_ms = server->now_ms + REQUEST_MS;
    }
    connection->in_length -= at;
    memmove(connection->in, connection->in + at, connection->in_length);
}

/* Reads what there is. False: the connection is broken. */
static bool receive(struct server *server, struct connection *connection)
{
    char waste[4096];
    bool lingering = connection->state != OPEN;
    char *into = lingering ? waste : connection->in + connection->in_length;
    size_t room = lingering ? sizeof waste : sizeof connection->in - connection->in_length;

    if (room == 0)
        return true;
    ssize_t count = recv(connection->fd, into, room, 0);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    if (count == 0) {
        connection->ended = true;
        return !lingering;
    }
    connection->active_ms = server->now_ms;
    if (!lingering) {
        if (connection->in_length == 0)
            connection->deadline_ms = server->now_ms + REQUEST_MS;
        connection->in_length += (size_t)count;
    }
    return true;
}

/* Writes what there is. False: the connection is broken. */
static bool transmit(struct server *server, struct connection *connection)
{
    while (connection->out_start < connection->out_end) {
        ssize_t count = send(connection->fd, connection->out + connection->out_start,
                             connection->out_end - connection->out_start, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN;
        connection->out_start += (size_t)count;
        connection->active_ms = server->now_ms;
        connection->deadline_ms = server->now_ms + WRITE_MS;
    }
    connection->out_start = connection->out_end = 0;
    return true;
}

/* Takes a connection as far as it goes. False: it is over. */
static bool connection_advance(struct server *server, struct connection *connection)
{
    size_t before;

    do { /* room made by writing may let further requests be answered */
        before = connection->in_length;
        if (connection->state == OPEN)
            answer_requests(server, connection);
        if (!transmit(server, connection))
            return false;
    } while (connection->in_length < before && connection->in_length > 0 &&
             connection->out_end == 0);

    bool writing = connection->out_end > 0;
    if (connection->state == FINISHING && !writing) {
        if (connection->ended || shutdown(connection->fd, SHUT_WR) < 0)
            return false;
        connection->state = LINGERING;
        connection->deadline_ms = server->now_ms + LINGER_MS;
    } else if (connection->state == OPEN && !writing && connection->in_length == 0) {
        connection->deadline_ms = server->now_ms + IDLE_MS;
    }

    bool reading = connection->state == LINGERING ||
                   (connection->state == OPEN && !connection->ended &&
                    connection->in_length < sizeof connection->in);
    uint32_t interest = (reading ? (uint32_t)EPOLLIN : 0) | (writing ? (uint32_t)EPOLLOUT : 0);
    if (interest != connection->interest &&
        !watch(server, EPOLL_CTL_MOD, connection->fd, interest, connection))
        return false;
    connection->interest = interest;
    return true;
}

static void connection_event(struct server *server, struct connection *connection, uint32_t events)
{
    bool alive = (events & (EPOLLERR | EPOLLHUP)) == 0;

    if (alive && (events & EPOLLIN) != 0)
        alive = receive(server, connection);
    if (alive)
        alive = connection_advance(server, connection);
    if (!alive)
        connection_close(server, connection);
}

static void close_overdue(struct server *server)
{
    bool stopping = server->listener < 0;

    for (struct connection *next, *at = server->connections; at != NULL; at = next) {
        bool idle = at->state == LINGERING || (at->in_length == 0 && at->out_end == 0);
        next = at->next;
        if (server->now_ms >= at->deadline_ms ||
            (stopping && idle && server->now_ms >= at->active_ms + QUIET_MS))
            connection_close(server, at);
    }
}

static void begin_to_stop(struct server *server)
{
    struct signalfd_siginfo info;

    if (read(server->signals, &info, sizeof info) != (ssize_t)sizeof info || server->listener < 0)
        return;
    accept_all(server);
    close(server->listener);
    server->listener = -1;
    server->stop_ms = server->now_ms + DRAIN_MS;
}

static void loop(struct server *server)
{
    struct epoll_event events[EVENTS];

    while (server->listener >= 0 ||
           (server->connection_count > 0 && server->now_ms < server->stop_ms)) {
        int wait_ms = server->listener < 0 ? DRAIN_TICK_MS : TICK_MS;
        bool nobody = server->connection_count == 0 && server->accepting;
        int count = epoll_wait(server->epoll, events, EVENTS, nobody ? -1 : wait_ms);
        int64_t last_ms = server->now_ms;

        read_clocks(server);
        for (int i = 0; i < count; i++) {
            void *tag = events[i].data.ptr;
            if (tag == &server->signals)
                begin_to_stop(server);
            else if (tag != &server->listener)
                connection_event(server, tag, events[i].events);
            else if (server->listener >= 0)
                accept_all(server);
        }
        if (server->listener < 0 || server->now_ms / TICK_MS != last_ms / TICK_MS) {
            close_overdue(server);
            set_accepting(server, server->connection_count < server->connections_max);
        }
    }
}

static size_t raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return CONNECTIONS_MAX / 8;
    if (limit.rlim_cur < CONNECTIONS_MAX + DESCRIPTORS_RESERVED) {
        rlim_t wanted = CONNECTIONS_MAX + DESCRIPTORS_RESERVED;
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= DESCRIPTORS_RESERVED)
        return 1;
    rlim_t most = limit.rlim_cur - DESCRIPTORS_RESERVED;
    return most < CONNECTIONS_MAX ? (size_t)most : CONNECTIONS_MAX;
}

static sigset_t stop_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

int server_listen(const char *host, int *port)
{
    sigset_t signals = stop_signals();
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *address = NULL;
    struct sockaddr_storage name = {0};
    socklen_t name_length = sizeof name;
    char service[16];
    int on = 1;

    sigprocmask(SIG_BLOCK, &signals, NULL);
    snprintf(service, sizeof service, "%d", *port);
    if (getaddrinfo(host, service, &hints, &address) != 0) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
                    bind(fd, address->ai_addr, address->ai_addrlen) < 0 ||
                    listen(fd, BACKLOG) < 0 ||
                    getsockname(fd, (struct sockaddr *)&name, &name_length) < 0)) {
        int error = errno;
        close(fd);
        errno = error;
        fd = -1;
    }
    freeaddrinfo(address);
    if (fd >= 0 && name.ss_family == AF_INET6)
        *port = ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
    else if (fd >= 0)
        *port = ntohs(((struct sockaddr_in *)&name)->sin_port);
    return fd;
}

bool server_run(int listener, struct app *app)
{
    struct server server = {.app = app, .listener = listener, .accepting = true, .signals = -1};
    sigset_t signals = stop_signals();
    bool ready = false;

    server.connections_max = raise_descriptor_limit();
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server.epoll >= 0)
        server.signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server.signals >= 0 &&
        watch(&server, EPOLL_CTL_ADD, listener, EPOLLIN, &server.listener) &&
        watch(&server, EPOLL_CTL_ADD, server.signals, EPOLLIN, &server.signals)) {
        ready = true;
        read_clocks(&server);
        loop(&server);
    }

    int error = errno;
    while (server.connections != NULL)
        connection_close(&server, server.connections);
    if (server.listener >= 0)
        close(server.listener);
    if (server.signals >= 0)
        close(server.signals);
    if (server.epoll >= 0)
        close(server.epoll);
    errno = error;
    return ready;
}
