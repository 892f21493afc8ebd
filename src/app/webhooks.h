// Outbound webhooks: a URL is told what landed, was rejected or deployed, in order, at least once.
// The log is the queue: webhook.delivered says up to which event a URL was told, so nothing is lost
// by a crash or a URL that is away.
//
// POST, application/json: {"event":"change.landed","id":SEQ,"time":"...","data":{fields of the
// event}}; X-Weir-Event and X-Weir-Delivery carry the same name and number, by which a receiver
// tells a repetition. Any 2xx is a yes; else it is tried again after 1 s, doubling to 5 min.
#pragma once
#include "app/daemon.h"

struct webhooks;
struct webhooks *webhooks_open(struct daemon *d);
void webhooks_notify(struct webhooks *set); // something was recorded
void webhooks_close(struct webhooks *set);
