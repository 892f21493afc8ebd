// The JSON Schema (draft 2020-12) of weir.yml, for editors; from the table of keys. What is not yet
// supported is left out. It knows shapes and limits; what only the whole file shows, conf_parse
// knows.
#pragma once
#include "base/buf.h"

void jsonschema_write(struct buf *out);
