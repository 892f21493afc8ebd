// Candidates: trial merges, their plans and what they touch; the part of the daemon that asks git
// what trunk would become. Commands name ids only; what they need stands in the projections, so a
// restarted daemon repeats them with the same words.
#pragma once
#include "app/daemon.h"

struct builds *builds_new(struct daemon *d);
void builds_free(struct builds *b);
// Ends in candidate.built or candidate.refused.
void builds_start(struct builds *set, struct candidate_id id);
// A change has landed: candidates that had to wait for that are built.
void builds_again(struct builds *set);
