#include "core/queue.h"

void queue_decide(const struct queue_view *view, struct queue_plan *plan) {
	plan->want_count = 0;
	plan->funded_count = 0;
	if (view->change_count)
		plan->wants[plan->want_count++] = (struct queue_want){view->changes[0].id, -1};
	for (size_t i = 0; i < view->ready_count && plan->funded_count < view->slots_free; i++)
		plan->funded[plan->funded_count++] = view->ready[i];
}
