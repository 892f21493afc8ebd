// Landings: the part of the daemon that has git move trunk. Commands name ids only; a restarted
// daemon repeats them, and looks first what became of them.
#pragma once
#include "app/daemon.h"

struct landings *landings_new(struct daemon *d);
void landings_free(struct landings *l);
void landings_land(struct landings *set,
                   struct landing_id id); // ends in change.landed or landing.failed
// The change ended: its candidate needs no protection from garbage collection any more.
void landings_release(struct landings *l, struct repo_id repo, struct change_id change);
