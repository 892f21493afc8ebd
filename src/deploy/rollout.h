// The one command under way that changes who has the traffic. Each step looks only at how things
// are, so it does not matter which news woke it up.
//
//   deploy:   PROXY ─► CLEAR ─► BEFORE ─► START ─► SLOT ─► switch
//   switch:   PROXY ───────────────────────────► SLOT ─► switch        (to a release that is kept
//   running)
//
//   PROXY  HAProxy listens as spec.json says and answers
//   CLEAR  an earlier run of the same release has left
//   BEFORE service.before has run, once for each release (marked by the file before/RELEASE)
//   START  all instances are green; one that exits ends the deploy at once
//   SLOT   a slot of the proxy is free: the release before last has ended its requests
//
// Whatever fails before the switch leaves what serves untouched.
#pragma once
#include "deploy/site.h"

struct rollout;

struct rollout *rollout_new(struct site *s);
bool rollout_is_busy(const struct rollout *r);
// True if the command `id` is under way: the client gets its answer too.
bool rollout_join(struct rollout *r, uint64_t client, struct str id);
// {"do":"deploy","id":…,"release":…,"folder":…,"secrets":{…}}
void rollout_deploy(struct rollout *r, uint64_t client, const struct json *command);
// {"do":"rollback","id":…,"force":false}: the release before, and the present one is out.
// {"do":"switch","id":…,"release":…,"force":false}: both stay.
void rollout_switch(struct rollout *r, uint64_t client, const struct json *command, bool back);
void rollout_cancel(struct rollout *r, const char *why); // answered as failed; no-op when idle
// {"id":…,"ok":false,"error":{…}}, for whoever must refuse a command.
void rollout_refuse(struct site *s, uint64_t client, struct str id, const struct err *e);
