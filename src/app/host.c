#include "app/host.h"

#include <stdio.h>
#include <stdlib.h>

struct host {
	struct daemon *daemon;
};

bool host_open(struct daemon *d, const struct serve_options *o, struct host **out, struct err *e) {
	struct host *h = calloc(1, sizeof *h);
	(void)e;
	if (!h) abort();
	h->daemon = d;
	snprintf(d->url, sizeof d->url, "http://%s", o->listen ? o->listen : "127.0.0.1:8420");
	*out = h;
	return true;
}

void host_close(struct host *h) {
	free(h);
}

void host_notify(struct host *h, uint64_t seq) {
	(void)h;
	(void)seq;
}
