#include "app/dispatch.h"

#include "app/builds.h"
#include "app/landings.h"
#include "app/envwatch.h"
#include "app/rollouts.h"
#include "app/runs.h"
#include "core/outbox.h"
#include "os/note.h"
#include "store/read.h"

static void open_repo(struct daemon *d, const struct event_repo_added *e) {
	struct err why;
	if (daemon_repo(d, e->repo)) return;
	if (!daemon_open_repo(d, e->repo, e->name, e->trunk, &why)) note(NOTE_ERROR, "%s", why.text);
}

static void ended(struct daemon *d, struct change_id id) {
	AUTO_ARENA scratch = {0};
	struct read_change c;
	struct err e;
	if (read_change(d->reader, id, &scratch, &c, &e)) landings_release(d->landings, c.repo, id);
}

void dispatch_event(void *daemon, uint64_t seq, const struct event *e) {
	struct daemon *d = daemon;
	(void)seq;
	if (d->stopping) return; // the next start asks the outbox
	switch ((int)e->kind) {
	case EVENT_REPO_ADDED: open_repo(d, &e->repo_added); return;
	case EVENT_REPO_CONFIGURED: envwatch_configured(d->envwatch); return;
	case EVENT_CANDIDATE_ISSUED: builds_start(d->builds, e->candidate_issued.candidate); return;
	case EVENT_LANDING_ISSUED: landings_land(d->landings, e->landing_issued.landing); return;
	case EVENT_RUN_ISSUED: runs_start(d->runs, e->run_issued.run); return;
	case EVENT_RUN_CANCEL_ISSUED: runs_cancel(d->runs, e->run_cancel_issued.run); return;
	case EVENT_ROLLOUT_ISSUED: rollouts_start(d->rollouts, e->rollout_issued.rollout); return;
	case EVENT_ROLLOUT_CANCEL_ISSUED:
		rollouts_cancel(d->rollouts, e->rollout_cancel_issued.rollout);
		return;
	case EVENT_CHANGE_LANDED:
		ended(d, e->change_landed.change);
		builds_again(d->builds);
		return;
	case EVENT_CHANGE_REJECTED: ended(d, e->change_rejected.change); return;
	case EVENT_CHANGE_WITHDRAWN: ended(d, e->change_withdrawn.change); return;
	default: return;
	}
}

static void dispatch_item(struct daemon *d, const struct outbox_item *item) {
	switch (item->kind) {
	case OUTBOX_CANDIDATE: builds_start(d->builds, (struct candidate_id){item->id}); return;
	case OUTBOX_LANDING: landings_land(d->landings, (struct landing_id){item->id}); return;
	case OUTBOX_RUN:
		runs_start(d->runs, (struct run_id){item->id});
		if (item->cancel) runs_cancel(d->runs, (struct run_id){item->id});
		return;
	case OUTBOX_ROLLOUT:
		rollouts_start(d->rollouts, (struct rollout_id){item->id});
		if (item->cancel) rollouts_cancel(d->rollouts, (struct rollout_id){item->id});
		return;
	}
}

void dispatch_outbox(void *daemon) {
	struct daemon *d = daemon;
	AUTO_ARENA scratch = {0};
	if (d->stopping) return;
	struct outbox_list list = outbox_pending(turn_state(d->turn), &scratch);
	for (size_t i = 0; i < list.count; i++) dispatch_item(d, &list.items[i]);
	if (list.count) note(NOTE_INFO, "%zu commands without an outcome were asked again", list.count);
}
