// Answers that go on: events, logs, files.
#pragma once
#include "cli/verb.h"

int feed_events(struct cli *cli);
int feed_log(struct cli *cli);
int feed_artifact(struct cli *cli);
extern const struct args_option feed_artifact_options[];

// An event (one line of NDJSON) for people: "14:30:52 1845 change.landed change/12 ...".
void feed_event(struct str line, int64_t now_ms, struct ink *out);
