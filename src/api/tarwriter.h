// A tar archive (POSIX.1-2001 ustar with pax names where needed), written piece by piece: no times,
// no owners, so that the same files give the same bytes.
#pragma once
#include "base/buf.h"

void tarwriter_file(struct buf *out, struct str path, bool executable,
                    uint64_t size);                 // its bytes follow
void tarwriter_pad(struct buf *out, uint64_t size); // behind them
void tarwriter_link(struct buf *out, struct str path, struct str target);
void tarwriter_end(struct buf *out);
