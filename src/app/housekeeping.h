// What keeps a long-lived server small and fast: repositories are repacked (lightly every hour,
// wholly every night), layers of workspaces that nobody uses go every hour, logs and artifacts past
// their retention are collected every night.
#pragma once
#include "app/daemon.h"

struct housekeeping;
struct housekeeping *housekeeping_open(struct daemon *d);
void housekeeping_close(struct housekeeping *h); // NULL is fine; freed with the process
