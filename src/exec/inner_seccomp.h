// The last system call filter, inside the sandbox: what a build or a test never needs and an escape
// might.
#pragma once
#include <stdbool.h>

// Needs no_new_privs. False with errno. What is refused gets EPERM, except where ENOSYS makes
// libraries fall back (clone3, io_uring) and EAFNOSUPPORT is the honest answer (AF_VSOCK, AF_ALG).
bool inner_seccomp_apply(void);
