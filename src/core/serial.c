#include "core/serial.h"

void serial_decide(const struct serial_view *view, struct serial_plan *plan) {
	plan->want_count = 0;
	plan->funded_count = 0;
	if (view->change_count)
		plan->wants[plan->want_count++] = (struct serial_want){view->changes[0].id, -1};
	for (size_t i = 0; i < view->ready_count && plan->funded_count < view->slots_free; i++)
		plan->funded[plan->funded_count++] = view->ready[i];
}
