// The supervisors of all environments are followed: what they tell becomes facts (env.unhealthy,
// env.healthy), also when it is that nothing runs or no supervisor starts; and one that was started
// again gets its secrets.
#pragma once
#include "app/daemon.h"

struct envwatch;

struct envwatch *envwatch_open(struct daemon *d); // follows what ever had a release
void envwatch_close(struct envwatch *set);
void envwatch_passed(struct envwatch *set, const struct env *row); // a rollout there
// Environments may have come or gone.
void envwatch_configured(struct envwatch *set);
// What supervisors told while nothing could be recorded was lost: asks them how things are.
void envwatch_look_again(struct envwatch *set);
