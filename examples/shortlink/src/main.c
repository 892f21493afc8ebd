/* main.c - the command line of shortlink. */
#include "server.h"
#include "store.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: shortlink --port PORT [--host ADDRESS] [--data FILE]\n"
    "       shortlink --version | --help\n"
    "\n"
    "  --port PORT     listen on this port; 0 picks a free one\n"
    "  --host ADDRESS  and on this numeric address (127.0.0.1)\n"
    "  --data FILE     keep the links in this file (in memory alone)\n";

static int parse_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return end != text && *end == '\0' && port >= 0 && port <= 65535 ? (int)port : -1;
}

static int serve(const char *host, int port, const char *data)
{
    struct app app = {.store = store_open(data)};

    if (app.store == NULL) {
        fprintf(stderr, "shortlink: %s: %s\n", data != NULL ? data : "store", strerror(errno));
        return 1;
    }
    int listener = server_listen(host, &port);
    if (listener < 0) {
        fprintf(stderr, "shortlink: cannot listen on %s port %d: %s\n", host, port,
                errno == EINVAL ? "the address must be a number" : strerror(errno));
        store_close(app.store);
        return 1;
    }
    printf("shortlink " VERSION " listening on %s port %d\n", host, port);
    fflush(stdout);

    bool served = server_run(listener, &app);
    if (!served)
        fprintf(stderr, "shortlink: cannot serve: %s\n", strerror(errno));
    store_close(app.store);
    return served ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},  {"host", required_argument, NULL, 'a'},
        {"data", required_argument, NULL, 'd'},  {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},        {0},
    };
    const char *host = "127.0.0.1";
    const char *data = NULL;
    int port = -1;

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p':
            port = parse_port(optarg);
            break;
        case 'a':
            host = optarg;
            break;
        case 'd':
            data = optarg;
            break;
        case 'v':
            puts("shortlink " VERSION);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            return 2;
        }
    }
    if (port < 0 || optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    return serve(host, port, data);
}
