/* The program itself, started on a free port and spoken to over loopback. */
#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t server;
static int port;

/* Starts the program; returns once it listens. */
static void start(const char *data)
{
    int ends[2];
    char line[128] = "";

    CHECK(pipe(ends) == 0);
    server = fork();
    CHECK(server >= 0);
    if (server == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        if (data != NULL)
            execl(PROGRAM, PROGRAM, "--port", "0", "--data", data, (char *)NULL);
        else
            execl(PROGRAM, PROGRAM, "--port", "0", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    CHECK(out != NULL && fgets(line, sizeof line, out) != NULL);
    fclose(out);
    const char *at = strstr(line, "port ");
    CHECK(at != NULL);
    port = atoi(at + 5);
    CHECK(port > 0);
}

/* Ends it as a supervisor does; it must exit with 0. */
static void stop(void)
{
    int status;

    CHECK(kill(server, SIGTERM) == 0);
    CHECK(waitpid(server, &status, 0) == server);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static void put(int fd, const char *text)
{
    CHECK_INT(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads one response, header and body; empty if the server closed. Returns its status. */
static int get(int fd, char *text, size_t size)
{
    size_t length = 0;
    size_t wanted = size;

    text[0] = '\0';
    while (length < wanted) {
        /* byte by byte: what follows belongs to the next response */
        if (recv(fd, text + length, 1, 0) <= 0)
            break;
        text[++length] = '\0';
        if (wanted == size && length >= 4 && memcmp(text + length - 4, "\r\n\r\n", 4) == 0) {
            const char *field = strstr(text, "Content-Length: ");
            wanted = length + (field != NULL ? (size_t)atoi(field + 16) : 0);
            CHECK(wanted < size);
        }
    }
    return length > 12 ? atoi(text + 9) : 0;
}

static int ask(int fd, const char *request)
{
    char text[8192];

    put(fd, request);
    return get(fd, text, sizeof text);
}

static const char health[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
static const char create[] = "POST /links HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n"
                             "https://example.com/";

TEST(keep_alive_serves_a_thousand)
{
    start(NULL);
    int fd = dial();
    for (int i = 0; i < 500; i++) {
        CHECK_INT(ask(fd, health), 200);
        CHECK_INT(ask(fd, create), 201);
    }
    close(fd);
    stop();
}

TEST(fresh_connections_serve_a_thousand)
{
    start(NULL);
    for (int i = 0; i < 500; i++) {
        int fd = dial();
        CHECK_INT(ask(fd, i % 2 == 0 ? health : create), i % 2 == 0 ? 200 : 201);
        close(fd);
        fd = dial();
        CHECK_INT(ask(fd, "GET / HTTP/1.0\r\n\r\n"), 200);
        CHECK_INT(ask(fd, ""), 0);
        close(fd);
    }
    stop();
}

TEST(create_follow_and_delete)
{
    char text[8192];
    char key[64] = "";
    char request[256];

    start(NULL);
    int fd = dial();
    put(fd, create);
    CHECK_INT(get(fd, text, sizeof text), 201);
    CHECK(sscanf(strstr(text, "Location: /"), "Location: /%63[^\r]", key) == 1);

    snprintf(request, sizeof request, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", key);
    put(fd, request);
    get(fd, text, sizeof text);
    CHECK(strstr(text, "\r\nLocation: https://example.com/\r\n") != NULL);

    snprintf(request, sizeof request, "DELETE /%s HTTP/1.1\r\nHost: a\r\n\r\n", key);
    CHECK_INT(ask(fd, request), 204);
    close(fd);
    stop();
}

TEST(pipelined_requests_are_answered_in_order)
{
    char requests[50 * sizeof health + 1] = "";
    char text[8192];

    start(NULL);
    int fd = dial();
    for (int i = 0; i < 50; i++)
        strcat(requests, i == 49 ? "GET /last HTTP/1.1\r\nHost: a\r\n\r\n" : health);
    put(fd, requests);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 50; i++)
        CHECK_INT(get(fd, text, sizeof text), i == 49 ? 404 : 200);
    CHECK_INT(get(fd, text, sizeof text), 0);
    close(fd);
    stop();
}

TEST(request_in_single_bytes)
{
    char text[8192];

    start(NULL);
    int fd = dial();
    for (const char *at = create; *at != '\0'; at++)
        CHECK_INT(send(fd, at, 1, MSG_NOSIGNAL), 1);
    CHECK_INT(get(fd, text, sizeof text), 201);
    close(fd);
    stop();
}

TEST(client_that_asks_may_continue)
{
    start(NULL);
    int fd = dial();
    CHECK_INT(ask(fd, "POST /links HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n"
                      "Expect: 100-continue\r\n\r\n"), 100);
    CHECK_INT(ask(fd, "https://example.com/"), 201);
    CHECK_INT(ask(fd, health), 200);
    close(fd);
    stop();
}

TEST(refused_request_gets_its_answer_and_the_end)
{
    char text[8192];
    char *body = calloc(1, 100001);

    start(NULL);
    int fd = dial();
    memset(body, 'x', 100000);
    put(fd, "POST /links HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
    put(fd, body);
    CHECK_INT(get(fd, text, sizeof text), 413);
    CHECK_INT(recv(fd, text, 1, 0), 0); /* an end, not a reset */
    close(fd);
    stop();
}

TEST(sigterm_lets_a_request_finish)
{
    char text[8192];

    start(NULL);
    int busy = dial();
    int idle = dial();
    CHECK_INT(ask(idle, health), 200);
    put(busy, "POST /links HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nhttps://");
    usleep(20000); /* so that the server has begun to read it */
    CHECK(kill(server, SIGTERM) == 0);
    CHECK_INT(get(idle, text, sizeof text), 0);
    put(busy, "example.com/");
    CHECK_INT(get(busy, text, sizeof text), 201);
    CHECK(strstr(text, "Connection: close\r\n") != NULL);
    stop();
}

TEST(links_survive_a_new_process)
{
    char data[64];
    char text[8192];
    char request[256];
    char key[64] = "";

    snprintf(data, sizeof data, "build/server-%ld.log", (long)getpid());
    unlink(data);
    start(data);
    int fd = dial();
    put(fd, create);
    CHECK_INT(get(fd, text, sizeof text), 201);
    CHECK(sscanf(strstr(text, "Location: /"), "Location: /%63[^\r]", key) == 1);
    close(fd);
    stop();

    start(data);
    fd = dial();
    snprintf(request, sizeof request, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", key);
    put(fd, request);
    get(fd, text, sizeof text);
    CHECK(strstr(text, "\r\nLocation: https://example.com/\r\n") != NULL);
    close(fd);
    stop();
    unlink(data);
}
