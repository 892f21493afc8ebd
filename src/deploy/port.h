// Free TCP ports for services: below the range from which the kernel takes the near ends of
// outgoing connections, so that under load none of those takes a port between our look and the
// service's bind.
#pragma once
#include "base/err.h"

bool port_is_free(uint16_t port); // nobody listens there, on any address
// A random free port that is not one of `taken`.
MUST_USE bool port_pick(const uint16_t *taken, size_t taken_count, uint16_t *out, struct err *e);
