// What is to be expected of a change before it is tested: how likely it lands, and how long its
// jobs take. Learned from the log as it grows, in whole numbers, so that every machine learns the
// same.
//
//   chance   odds of the repository's changes, times what each feature of this one says beside
//   them:
//            its author's past, its size, whether an earlier revision was refused. Then corrected
//            by what became of changes that looked as good (the reliability of each tenth).
//            change.queued records it, so that it can be held against the outcome: Brier score and
//            reliability are `weir predictions`.
//   time     of a job: the mean of its passed runs, the newer the more.
//
//   example: of 100 changes 92 landed; of Ann's 20, 19; of those of her size 15 of 20. Odds 11.5,
//   hers 1.5 times that, of that size a third: 5.7, which is a chance of 85 %.
//
// Few data say little: each share is mixed with what holds above it (as eight changes, ten at the
// top, where 92 % is believed on the first day). Nothing is ever decided by a prediction: it says
// which verdicts are bought first (core/queue.h).
//
// Source: naive Bayes in odds form; the priors of reference values: SubmitQueue's published success
// rates (Ananthanarayanan et al., EuroSys 2019).
#pragma once
#include "core/state.h"

enum { PREDICT_PPM = 1000000, PREDICT_ROWS_MAX = 4096 };

// What a push says of a change; taken when it is proposed.
void predict_describe(struct change *c, const struct event_change_proposed *e);
// That it lands, in millionths: 1 to 999,999.
uint32_t predict_chance(const struct state *s, const struct change *c);
// It is queued with this chance; 0 = by an older weir, which learns nothing of it.
void predict_queued(struct state *s, struct change *c, int64_t chance, int64_t now_ms);
// It landed, or was rejected for this reason.
void predict_ended(struct state *s, const struct change *c, bool landed, enum reason reason);

void predict_saw_run(struct state *s, struct repo_id repo, struct str job, int64_t duration_ms);
int64_t predict_job_ms(const struct state *s, struct repo_id repo,
                       struct str job); // -1 = not known
// How far apart changes came of late, in milliseconds; 0 = not known.
int64_t predict_gap_ms(const struct state *s, struct repo_id repo);
