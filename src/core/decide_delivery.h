// The part of decide behind the landing: releases and rollouts.
#pragma once
#include "core/decide.h"

void decide_delivery_releases(struct state *s, int64_t now_ms, struct decide_list *list);
void decide_delivery_rollouts(struct state *s, int64_t now_ms, struct decide_list *list);
