// Secrets at rest: one file a secret, sealed (libsodium secretbox: XSalsa20-Poly1305) with a key
// that lies in DATA/secret.key (0600). Events hold names only. Names: letters, digits, underscores,
// at most 64, no digit first.
#pragma once
#include "base/arena.h"
#include "base/err.h"

enum { SECRETS_VALUE_MAX = 65536 };

bool secrets_name_ok(struct str name);
MUST_USE bool secrets_set(const char *data, struct str repo, struct str name, struct str value,
                          struct err *e);
MUST_USE bool secrets_get(const char *data, struct str repo, struct str name, struct arena *life,
                          struct str *value,
                          struct err *e); // ERR_NOT_FOUND
MUST_USE bool secrets_remove(const char *data, struct str repo, struct str name, struct err *e);
