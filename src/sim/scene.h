// Scenes: stories of the queue and of rollouts as text, told to the real core by scripted adapters.
// test/scene/*.scene are tests and the manual's examples. A line is one of
//
//   # why this scene is told
//   given slots 2
//   given repo shop                      its trunk is the commit T; the first repository is meant
//                                        where none is named
//   given plan two: build+ test<build*1 pack<build@landed soak@nightly; production staging
//                                        jobs: name, + makes artifacts, <needs, *retries, @when;
//                                        behind the ; environments. "two" is a name for it
//   given trunk two                      trunk's weir.yml says so
//   at 20 push fix                       20 ms after the beginning. Also:
//     push KEY [as HEAD] [priority N] [draft] [in REPO]    HEAD = KEY unless said
//     withdraw N · retry N                 a change
//     built cN [as NAME] [two] [skip 0,2]  its commit is called mN; the plan is the last one given
//              [touches lib,7]               only that job and file number 7; else everything.
//                                            Of a batch the members' first: lib,7;lib,8
//     refused cN REASON [of N]             or it can't be merged; of a batch, with change N
//     started rN · passed rN [narrow] · failed rN [narrow] [REASON] · lost rN [full] · stopped rN
//              narrow: it read nothing that other changes touch
//     reused rN of rM [failed|doubted] · missed rN [sampled]
//     landed lN · not-landed lN found COMMIT
//     trunk COMMIT                         somebody moves trunk past weir
//     configure two                        trunk's weir.yml changed
//     deploy ENV vN [force] · rollback ENV · live oN · failed oN REASON
//     unhealthy ENV vN [settled] · healthy ENV vN
//     wait                                 only time passes
//     restart                              a crash: replay; then every intent without an outcome
//   and ...                              a further fact in the same turn
//   expect ...                           one line an event of that turn, in order: the facts, then
//                                        what the core decided. "refused ..." = the fact was
//                                        refused
//
// The numbers count up from 1: c candidates, r runs, l landings, v releases, o rollouts; 7.2 is
// revision 2 of change 7. Every event also passes the invariants (sim/invariant.h).
#pragma once
#include "base/buf.h"
#include "base/err.h"

// Plays the scene and writes it again with the expect lines that come true: a scene is right when
// that is the same text. False = a line can't be read, or a promise was broken.
MUST_USE bool scene_play(struct str text, struct buf *out, struct err *e);
