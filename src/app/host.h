// The door to the daemon for HTTP: API, pages and git, see api/host.h for what it offers them.
#pragma once
#include "app/serve.h"

MUST_USE bool host_open(struct daemon *d, const struct serve_options *o, struct host **out,
                        struct err *e);         // sets d->url
void host_withdraw(struct host *h);             // nobody is told the URL any more
void host_close(struct host *h);                // NULL is fine
void host_notify(struct host *h, uint64_t seq); // events up to seq are durable
