// What a job sees as "/", put together in the leader's mount namespace so that bubblewrap binds it
// at once: it reads the whole mount table again for each bind of its own.
//
//   usr bin lib* opt nix   of the host, read-only        etc              what exec/etc.h says
//   dev                    null zero full random urandom tty, a pts of its own, links
//   run/weir-inner         the first program             run/resolv.conf  see exec/etc.h
//   work                   empty: the workspace comes later (exec/stage.h)
//   proc tmp var/tmp dev/shm home/job run/secrets        empty, bubblewrap mounts them
#pragma once
#include "exec/spec.h"

#define ROOT_FOLDER "root"

// In ROOT_FOLDER of the current folder, which lies in a tmpfs. Changes mounts of this process's
// namespace; every mount comes without set-user-id, and without devices but for those above.
MUST_USE bool root_build(const struct exec_spec *spec, const char *inner, struct err *e);
