// Which run's log is meant by a change and the name of a job.
#pragma once
#include "api/api.h"

MUST_USE bool joblog_find(struct api *api, struct change_id change, struct str job,
                          struct run_id *run, bool *live, struct err *e);
