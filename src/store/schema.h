// What stands in the database beside the projections, and how an older database becomes a new one.
// user_version counts the steps that were taken; application_id says that the file is weir's.
//
// For people with the sqlite3 program: v_events, v_changes, v_runs show times as text and kinds as
// names; the table kinds(number, name, doc) explains every kind of event.
#pragma once
#include <sqlite3.h>

#include "base/err.h"

// Refuses a file that is not weir's (ERR_INVALID) or of a newer weir (ERR_UNSUPPORTED). *current =
// no step is missing and the projections are of this weir.
MUST_USE bool schema_check(sqlite3 *db, bool *current, struct err *e);
// Takes the missing steps; all inside the caller's transaction. *rebuild = the projections were
// made anew, empty.
MUST_USE bool schema_upgrade(sqlite3 *db, bool *rebuild, struct err *e);
