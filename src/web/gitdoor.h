// /git/NAME.git/...: requests of git clients, handed to the daemon; bodies are spooled, answers
// streamed from a pipe.
#pragma once
#include "web/exchange.h"

bool gitdoor_is(struct str path);
bool gitdoor_pushes(struct str path, struct str query);
// Scopes and spool of a request whose header has come. False: it has been answered.
MUST_USE bool gitdoor_begin(struct exchange *x);
MUST_USE bool gitdoor_body(struct exchange *x, struct str bytes, struct err *e);
void gitdoor_answer(struct exchange *x);
