// An environment's definition: ENVFOLDER/spec.json, written by the daemon, read at each deploy. The
// part `service` is kept with each release, so that a kept release restarts as it was started.
//
//   {"environment":"production", "listen":"127.0.0.1:8000", "hold_ms":10000, "health_failures":2,
//    "tls":{"cert":"/etc/…/fullchain.pem", "key":"/etc/…/key.pem"},
//    "service":{"run":"build/shortlink --port $PORT", "before":"", "health":"/healthz",
//    "instances":1,
//               "grace_ms":10000, "start_timeout_ms":60000, "before_timeout_ms":600000,
//               "probe_timeout_ms":1000, "env":{"NAME":"value"}, "secrets":["NAME"]}}
//
// Only environment, listen and service.run must be there; the values above are the defaults of the
// others.
#pragma once
#include "base/arena.h"
#include "base/json.h"

enum { SPEC_INSTANCES_MAX = 8, SPEC_BYTES_MAX = 1 << 20 };

struct spec_pair {
	struct str name, value;
};
struct spec_service {
	struct str json;                // canonical, as read
	struct str run, before, health; // before, health: "" = none
	int instances;
	int64_t grace_ms, start_timeout_ms, before_timeout_ms, probe_timeout_ms;
	struct spec_pair *env;
	size_t env_count;
	struct str *secrets; // names only
	size_t secret_count;
};
struct spec {
	struct str environment;
	struct str host; // address without brackets, "" = every address
	uint16_t port;
	struct str tls_cert, tls_key; // "" = no TLS
	int64_t hold_ms;
	int health_failures;
	struct spec_service service;
};

// ERR_INVALID says which key is wrong.
MUST_USE bool spec_read(const struct json *v, struct arena *life, struct spec *out, struct err *e);
MUST_USE bool spec_read_service(const struct json *v, struct arena *life, struct spec_service *out,
                                struct err *e);
// A release's name is also a file name: letters, digits, . _ -, at most 64, no dot first.
bool spec_is_release_name(struct str name);
