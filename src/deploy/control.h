// The supervisor's socket: JSON, one line a command, one line an answer. A client may send several
// commands; an answer carries the id of its command. A client that watches gets every line of
// control_tell as well.
#pragma once
#include "base/json.h"
#include "os/loop.h"

enum { CONTROL_LINE_MAX = 1 << 20 };

struct control;
// `client` stays good for control_answer also when the client has left.
typedef void control_fn(void *context, uint64_t client, const struct json *command);

// Listens on `name` in the working directory, only for this user.
MUST_USE bool control_listen(const char *name, int *fd, struct err *e);
struct control *control_new(struct loop *l, int fd, control_fn *fn, void *context);
void control_answer(struct control *c, uint64_t client, struct str line); // without its "\n"
void control_watch(struct control *c, uint64_t client);
void control_tell(struct control *c, struct str line);
