// The room on the disk of the data folder, looked at each second, so that weir says that it is full
// before something fails half-way:
//
//   less than 5 %     no run starts; what is issued waits, and starts by itself when there is room
//                     again. A run that is under way is stopped by its leader (exec/leader.c).
//                     A deploy that found no room is tried again then (rollouts.c).
//   less than 16 MB   no new change is taken. The reserve (store/reserve.h) is released: there is
//                     room again to record how runs, landings and rollouts under way end, and to
//                     roll back. When there are 40 MB again the reserve is made and weir goes on.
//
// An append that fails in spite of that makes weir read-only (app/turn.h).
#pragma once
#include "app/daemon.h"

struct room;

struct room *room_open(struct daemon *d);
void room_close(struct room *r);
// Why no new change is taken, a sentence; NULL = they are. Looks again unless it is full already.
const char *room_full(struct room *r);
// False: less than 5 % of the disk is free; the outbox is asked again when that has changed.
bool room_for_run(struct room *r);
// Why issued runs do not begin, a sentence; NULL = they do.
const char *room_runs_wait(const struct room *r);
