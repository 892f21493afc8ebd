// git over HTTP: `git http-backend` as a child of a worker thread, its answer handed to the web
// server as a pipe.
#pragma once
#include "app/daemon.h"
#include "web/web.h"

struct web_git githttp_fill(struct daemon *d);
