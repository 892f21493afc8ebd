// Operations on changes.
#include "api/call.h"
#include "api/changejson.h"
#include "api/queueorder.h"

static void finish_list(struct call *c, const struct read_changes *list) {
	struct err e = {0};
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, "changes");
	jsonw_array(w);
	for (size_t i = 0; i < list->n; i++) {
		if (changejson_write(c->api, &list->p[i], false, &c->life, w, &e)) continue;
		call_fail(c, &e, NULL);
		return;
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
	call_finish(c);
}

void changes_list(struct call *c) {
	struct err e = {0};
	struct str state = call_text(c, "state");
	struct read_filter filter = {.limit = call_limit(c),
	                             .before = {(uint64_t)call_int(c, "before", 0)}};
	if (str_eq(state, STR("open"))) filter.which = READ_OPEN;
	else if (str_eq(state, STR("ended"))) filter.which = READ_ENDED;
	else if (state.n && !str_eq(state, STR("all"))) {
		err_set(&e, ERR_INVALID, "state is open, ended or all");
		call_fail(c, &e, NULL);
		return;
	}
	struct read_changes list;
	if (!call_repo(c, &filter.repo)) return;
	if (!read_changes(c->store, filter, &c->life, &list, &e)) call_fail(c, &e, NULL);
	else finish_list(c, &list);
}

void changes_queue(struct call *c) {
	struct err e = {0};
	struct repo_id repo;
	if (!call_repo(c, &repo)) return;
	struct queueorder q = queueorder_of(c->host->state(c->host->context), repo, &c->life);
	struct read_changes list = {.n = q.n < API_PAGE_MAX ? q.n : API_PAGE_MAX};
	list.p = ARENA_ARRAY(&c->life, struct read_change, list.n + 1);
	for (size_t i = 0; i < list.n; i++) {
		if (read_change(c->store, q.p[i]->id, &c->life, &list.p[i], &e)) continue;
		call_fail(c, &e, NULL);
		return;
	}
	finish_list(c, &list);
}

static void finish_change(struct call *c, const struct read_change *change) {
	struct err e = {0};
	if (changejson_write(c->api, change, true, &c->life, call_json(c), &e)) call_finish(c);
	else call_fail(c, &e, NULL);
}

void changes_get(struct call *c) {
	struct read_change change;
	if (call_change(c, &change)) finish_change(c, &change);
}

static void changed(struct call *c, const struct event *applied) {
	(void)applied;
	changes_get(c);
}

// What has ended stays as it ended. False: the call is answered.
static bool may(struct call *c, const struct read_change *change, bool if_open, bool if_rejected,
                const char *what) {
	bool rejected = str_eq(change->state, STR("rejected"));
	bool over = rejected || str_eq(change->state, STR("landed")) ||
	            str_eq(change->state, STR("withdrawn"));
	struct err e = {0};
	if ((if_open && !over) || (if_rejected && rejected)) return true;
	err_set(&e, ERR_CONFLICT, "change %llu %s" STR_FMT ": there is nothing to %s",
	        (unsigned long long)change->id.v, over ? "was " : "is ", STR_ARG(change->state), what);
	call_fail(c, &e,
	          rejected ? "push a correction, or try it again with `weir retry`"
	          : over   ? "push a new change: git push weir HEAD:refs/for/main"
	                   : "weir queue says where it stands");
	return false;
}

void changes_withdraw(struct call *c) {
	struct read_change change;
	if (!call_change(c, &change) || !may(c, &change, true, true, "withdraw")) return;
	call_submit(c,
	            &(struct event){.kind = EVENT_CHANGE_WITHDRAWN,
	                            .change_withdrawn = {change.id, change.revision, c->identity.name}},
	            changed);
}

void changes_retry(struct call *c) {
	struct read_change change;
	if (!call_change(c, &change) || !may(c, &change, false, true, "try again")) return;
	call_submit(c,
	            &(struct event){.kind = EVENT_CHANGE_RETRIED,
	                            .change_retried = {change.id, change.revision, c->identity.name}},
	            changed);
}

void changes_cancel(struct call *c) {
	struct read_change change;
	if (!call_change(c, &change) || !may(c, &change, true, false, "cancel")) return;
	struct err e = {0};
	if (str_eq(change.state, STR("landing"))) {
		err_set(&e, ERR_CONFLICT, "change %llu is landing just now",
		        (unsigned long long)change.id.v);
		call_fail(c, &e, NULL);
		return;
	}
	struct event event = {.kind = EVENT_CHANGE_REJECTED};
	event.change_rejected = (struct event_change_rejected){
		.change = change.id,
		.revision = change.revision,
		.reason = REASON_CANCELLED,
		.text = arena_printf(&c->life, "cancelled by " STR_FMT, STR_ARG(c->identity.name)),
		.candidate = change.candidate,
	};
	call_submit(c, &event, changed);
}

static void diffed(void *context, bool ok, struct str text, const struct err *e) {
	struct call *c = context;
	if (!ok) {
		call_fail(c, e, NULL);
		return;
	}
	c->answer.type = "text/plain; charset=utf-8";
	buf_str(&c->answer.body, text);
	call_finish(c);
}

void changes_diff(struct call *c) {
	struct read_change change;
	if (call_change(c, &change))
		c->host->diff(c->host->context, change.repo, change.base, change.head, diffed, c);
}
