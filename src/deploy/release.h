// A release in an environment: its artifacts' folder, the service definition it was deployed with,
// its secrets (in memory only) and its instances.
#pragma once
#include "deploy/instance.h"

enum release_role {
	RELEASE_STARTING, // being deployed; a process that exits is not restarted
	RELEASE_ACTIVE,   // gets the traffic
	RELEASE_KEPT,     // runs beside it, ready for an instant rollback
	RELEASE_LEAVING,  // being stopped, then forgotten
};

struct release {
	struct release *next;
	struct arena life;
	struct instance_plan plan;
	enum release_role role;
	bool rolled_back;        // no target of a rollback any more
	struct instance *before; // NULL unless it runs
	struct instance *instances[SPEC_INSTANCES_MAX];
	int count;
};

struct release *release_new(const struct instance_home *home, struct str environment, struct str id,
                            struct str folder, const struct spec_service *service,
                            int health_failures, instance_fn *fn, void *context);
void release_free(struct release *r); // everything of it is OFF
void release_set_role(struct release *r, enum release_role role);
void release_set_secrets(struct release *r, const struct json *object);
// Names of the definition that have no value yet; what is missing is written into `out` ("A, B").
bool release_lacks_secrets(const struct release *r, struct buf *out);
bool release_is_healthy(const struct release *r); // all instances
bool release_is_off(const struct release *r);
void release_stop(struct release *r);
void release_probe_every(struct release *r, int64_t ms);
const char *release_role_name(enum release_role role);

void release_record(const struct release *r,
                    struct jsonw *w); // for state.json, without secrets' values
// Rebuilds it and adopts what runs; secrets come back from the environment of a process that runs.
// ERR_CORRUPT: not understood.
MUST_USE bool release_recover(const struct instance_home *home, const struct json *v,
                              instance_fn *fn, void *context, struct release **out, struct err *e);
void release_status(const struct release *r,
                    struct jsonw *w); // for people: states, restarts, reasons
