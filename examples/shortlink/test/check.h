/* check.h - a small test runner: each TEST runs in a process of its own, so that one that crashes
 * or hangs is one failure, and what it started ends with it. Results: lines, and JUnit XML.
 *
 *     TEST(redirect_is_302)
 *     {
 *         CHECK_INT(response.status, 302);
 *     }
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

struct check_test {
    const char *file;
    const char *name;
    void (*run)(void);
};

void check_register(const struct check_test *test);

/* Ends the test as failed. */
void check_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
void check_int(const char *file, int line, const char *what, long long actual, long long wanted);
void check_str(const char *file, int line, const char *what, const char *actual,
               const char *wanted);

#define TEST(test_name)                                                                  \
    static void test_##test_name(void);                                                  \
    __attribute__((constructor)) static void register_##test_name(void)                  \
    {                                                                                    \
        static const struct check_test test = {__FILE__, #test_name, test_##test_name};  \
        check_register(&test);                                                           \
    }                                                                                    \
    static void test_##test_name(void)

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition))                                                                \
            check_fail(__FILE__, __LINE__, "not true: %s", #condition);                  \
    } while (0)
#define CHECK_INT(actual, wanted)                                                        \
    check_int(__FILE__, __LINE__, #actual, (long long)(actual), (long long)(wanted))
#define CHECK_STR(actual, wanted) check_str(__FILE__, __LINE__, #actual, actual, wanted)

#endif
