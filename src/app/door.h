// What the API may ask of the daemon: api/host.h, filled in.
#pragma once
#include "api/host.h"
#include "app/daemon.h"

void door_fill(struct daemon *d, struct object_store *objects, struct api_host *out);
