// Pushes: the receive socket. A push is acknowledged only when its change.proposed is durable and
// its refs/changes/ID/N is written; until then git on the other side waits.
#pragma once
#include "app/daemon.h"

MUST_USE bool pushes_open(struct daemon *d, struct pushes **out,
                          struct err *e); // listens on DATA/receive.sock
void pushes_close(struct pushes *p);
