// weir.yml(5) in the macros of man(7), from the table of keys.
#pragma once
#include "base/buf.h"

void manual_write(struct buf *out);
