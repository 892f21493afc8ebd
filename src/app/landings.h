// Candidates and landings: the part of the daemon that asks git. Commands name ids only; what they
// need stands in the projections, so a restarted daemon repeats them with the same words.
#pragma once
#include "app/daemon.h"

struct landings *landings_new(struct daemon *d);
void landings_free(struct landings *l);
void landings_build(struct landings *l,
                    struct candidate_id id); // ends in candidate.built or candidate.refused
// A change has landed: candidates that had to wait for that are built.
void landings_again(struct landings *l);
void landings_land(struct landings *set,
                   struct landing_id id); // ends in change.landed or landing.failed
// The change ended: its candidate needs no protection from garbage collection any more.
void landings_release(struct landings *l, struct repo_id repo, struct change_id change);
