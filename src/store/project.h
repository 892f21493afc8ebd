// Projections: tables that hold what the events say now, for people and the API. Each event's rules
// (store/project.def.h) are SQL with the event's fields as parameters; they depend on the log
// alone, so that the tables can be dropped and made again. What they look like stands in
// store/tables.def.h.
#pragma once
#include <sqlite3.h>

#include "core/event.h"

struct project;

// Names the tables and rules of this weir: when it differs from what made the tables, they must be
// made again.
struct digest project_layout(void);
MUST_USE bool project_drop(sqlite3 *db, struct err *e);   // drops all its tables that are there
MUST_USE bool project_create(sqlite3 *db, struct err *e); // makes them, empty
// The names of its tables, NULL-terminated.
const char *const *project_tables(void);

struct project *project_open(sqlite3 *db); // statements are prepared when first needed
void project_close(struct project **p);
#define AUTO_PROJECT __attribute__((cleanup(project_close))) struct project *
MUST_USE bool project_event(struct project *p, uint64_t seq, const struct event *event,
                            struct err *e);
