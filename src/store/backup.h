// A copy of the database and the objects in another folder, consistent while the daemon works: the
// log up to one moment, and every object that it then needed. The git repositories and keys are the
// caller's to copy.
#pragma once
#include "store/collect.h"

// `to` is made; ERR_CONFLICT when it holds a database already. Ends with a check of the copy: the
// whole hash chain and every live object (policy as in store/collect.h). *head = the last event of
// the copy.
MUST_USE bool backup_make(struct store *s, struct object_store *objects,
                          struct collect_policy policy, const char *to, struct store_head *head,
                          struct err *e);
