#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TESTS_MAX = 256, MESSAGE_MAX = 1024, TIMEOUT_S = 10 };

struct result {
    const struct check_test *test;
    double seconds;
    char message[MESSAGE_MAX]; /* empty: passed */
};

static struct result results[TESTS_MAX];
static int test_count;
static int report_fd = STDERR_FILENO; /* where the process of a test says why it failed */

void check_register(const struct check_test *test)
{
    if (test_count == TESTS_MAX) {
        fprintf(stderr, "check: more than %d tests\n", TESTS_MAX);
        exit(2);
    }
    results[test_count++].test = test;
}

void check_fail(const char *file, int line, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;
    int length = snprintf(message, sizeof message, "%s:%d: ", file, line);

    va_start(arguments, format);
    vsnprintf(message + length, sizeof message - (size_t)length, format, arguments);
    va_end(arguments);
    if (write(report_fd, message, strlen(message)) < 0)
        perror("check");
    _exit(1);
}

void check_int(const char *file, int line, const char *what, long long actual, long long wanted)
{
    if (actual != wanted)
        check_fail(file, line, "%s is %lld, wanted %lld", what, actual, wanted);
}

void check_str(const char *file, int line, const char *what, const char *actual,
               const char *wanted)
{
    if (strcmp(actual, wanted) != 0)
        check_fail(file, line, "%s is \"%s\", wanted \"%s\"", what, actual, wanted);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run_child(const struct check_test *test, int fd)
{
    setpgid(0, 0);
    report_fd = fd;
    alarm(TIMEOUT_S);
    test->run();
    _exit(0);
}

static void run(struct result *result)
{
    int ends[2];
    int status = 0;
    double start = now();

    if (pipe(ends) < 0) {
        perror("check: pipe");
        exit(2);
    }
    fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        perror("check: fork");
        exit(2);
    }
    if (child == 0) {
        close(ends[0]);
        run_child(result->test, ends[1]);
    }
    setpgid(child, child);
    close(ends[1]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-child, SIGKILL); /* servers it left behind */

    ssize_t length = read(ends[0], result->message, sizeof result->message - 1);
    result->message[length > 0 ? length : 0] = '\0';
    close(ends[0]);
    result->seconds = now() - start;
    if (WIFSIGNALED(status))
        snprintf(result->message, sizeof result->message, "%s:1: %s (%s)", result->test->file,
                 WTERMSIG(status) == SIGALRM ? "timed out" : "crashed",
                 strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0 && result->message[0] == '\0')
        snprintf(result->message, sizeof result->message, "%s:1: exited with status %d",
                 result->test->file, WEXITSTATUS(status));
}

static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\n': fputs("&#10;", out); break;
        default: fputc(*text < ' ' || *text == 0x7f ? '?' : *text, out); break;
        }
    }
}

/* "test/app_test.c" is the class "app". */
static void put_class(FILE *out, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;

    fprintf(out, "%.*s", (int)strcspn(name, "_."), name);
}

static bool write_junit(const char *path, int failures, double seconds)
{
    FILE *out = fopen(path, "w");

    if (out == NULL)
        return false;
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    fprintf(out, "<testsuites>\n<testsuite name=\"shortlink\" tests=\"%d\" failures=\"%d\" "
                 "errors=\"0\" skipped=\"0\" time=\"%.3f\">\n", test_count, failures, seconds);
    for (int i = 0; i < test_count; i++) {
        fprintf(out, "<testcase classname=\"");
        put_class(out, results[i].test->file);
        fprintf(out, "\" name=\"%s\" file=\"%s\" time=\"%.3f\"", results[i].test->name,
                results[i].test->file, results[i].seconds);
        if (results[i].message[0] == '\0') {
            fputs("/>\n", out);
            continue;
        }
        fputs(">\n<failure message=\"", out);
        put_escaped(out, results[i].message);
        fputs("\"/>\n</testcase>\n", out);
    }
    fputs("</testsuite>\n</testsuites>\n", out);
    bool written = ferror(out) == 0;
    return fclose(out) == 0 && written;
}

int main(int argc, char **argv)
{
    int failures = 0;
    double start = now();

    if (argc != 2) {
        fprintf(stderr, "usage: check JUNIT_XML\n");
        return 2;
    }
    for (int i = 0; i < test_count; i++) {
        run(&results[i]);
        bool passed = results[i].message[0] == '\0';
        printf("%s ", passed ? "ok  " : "FAIL");
        put_class(stdout, results[i].test->file);
        printf(".%s%s%s\n", results[i].test->name, passed ? "" : "\n     ", results[i].message);
        failures += !passed;
    }
    printf("%d tests, %d failed, %.2f s\n", test_count, failures, now() - start);
    if (!write_junit(argv[1], failures, now() - start)) {
        fprintf(stderr, "check: %s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    return failures == 0 ? 0 : 1;
}
