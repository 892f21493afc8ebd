// The program `weir supervise ENVFOLDER`: one a folder, parent of that environment's services and
// of its HAProxy. It outlives the daemon. If it is killed, services and HAProxy go on; the next one
// adopts them.
//
// Commands on the socket ENVFOLDER/control, one JSON object a line: {"do":…, "id":…}. A command
// with an id is done once: the same id again gets the same answer, also from the next supervisor
// (the last 64 are kept). Answers:
// {"id":…,"ok":true,…} or {"id":…,"ok":false,"error":{"code":…,"text":…},…}.
//
//   deploy    release, [folder], [secrets{}]   see deploy/rollout.h; answers when the traffic has
//   moved rollback  [force]                          the kept release; a deploy under way is
//   cancelled switch    release, [force]                 between active and kept cancel    ends a
//   deploy under way          secrets  release, secrets{}: asked for by "needs_secrets" status as
//   it is now                     logs     [release], [instance], [lines]: the last lines watch
//   status, then a line an event     ping     answers; {"pid":…} stop      ends services, HAProxy
//   and the supervisor; answers before it leaves
//
// Events of watch: progress, done, drained, stopped, exited, unhealthy, healthy, hold_over,
// proxy_up, proxy_exited, needs_secrets.
#pragma once

// Returns (in the caller's process) when the supervisor accepts commands: 0; or 1 with the reason
// on stderr. The supervisor itself is a process that has left its parent and its session; its notes
// go to log/supervisor.log.
int supervisor_run(const char *given); // ENVFOLDER
