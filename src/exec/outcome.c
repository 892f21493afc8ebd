#include "exec/outcome.h"

#include "base/json.h"
#include "base/jsonw.h"

static const char *const names[] = {"passed", "failed", "timeout", "cancelled", "killed", "error"};

const char *outcome_name(enum exec_end end) {
	return names[end];
}

static void put_tests(struct jsonw *w, const struct exec_outcome *o) {
	jsonw_key(w, "tests");
	jsonw_object(w);
	jsonw_key_i(w, "failed", o->tests_failed);
	jsonw_key(w, "first_failed");
	jsonw_array(w);
	for (size_t i = 0; i < o->failed_tests_n; i++) jsonw_str(w, o->failed_tests[i]);
	jsonw_array_end(w);
	jsonw_key_i(w, "passed", o->tests_passed);
	jsonw_key_i(w, "skipped", o->tests_skipped);
	jsonw_key_i(w, "total", o->tests);
	jsonw_object_end(w);
}

// Keys in sorted order: the bytes are canonical.
void outcome_json(const struct exec_outcome *o, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	if (o->has_artifact) {
		char hex[DIGEST_HEX + 1];
		digest_hex(o->artifact, hex);
		jsonw_key(&w, "artifact");
		jsonw_object(&w);
		jsonw_key_i(&w, "bytes", o->artifact_bytes);
		jsonw_key_z(&w, "digest", hex);
		jsonw_key_i(&w, "files", o->artifact_files);
		jsonw_object_end(&w);
	}
	jsonw_key_s(&w, "cgroup", o->cgroup);
	jsonw_key_s(&w, "coverage_error", o->coverage_error);
	jsonw_key_i(&w, "cpu_ms", o->cpu_ms);
	jsonw_key_i(&w, "duration_ms", o->duration_ms);
	jsonw_key_i(&w, "exit_code", o->exit_code);
	jsonw_key(&w, "limits");
	jsonw_object(&w);
	jsonw_key_i(&w, "cpu_milli", o->cpu_limit_milli);
	jsonw_key_b(&w, "hit_disk", o->hit_disk);
	jsonw_key_b(&w, "hit_memory", o->hit_memory);
	jsonw_key_b(&w, "hit_pids", o->hit_pids);
	jsonw_key_i(&w, "memory_bytes", o->memory_limit_bytes);
	jsonw_key_i(&w, "pids", o->pids_limit);
	jsonw_object_end(&w);
	jsonw_key(&w, "log");
	jsonw_object(&w);
	jsonw_key_i(&w, "bytes", o->log_bytes);
	jsonw_key_i(&w, "dropped_bytes", o->log_dropped_bytes);
	jsonw_key_i(&w, "secrets_masked", o->secrets_masked);
	jsonw_key_i(&w, "text_bytes", o->log_text_bytes);
	jsonw_object_end(&w);
	jsonw_key_i(&w, "memory_peak_bytes", o->memory_peak_bytes);
	jsonw_key_z(&w, "outcome", outcome_name(o->end));
	jsonw_key(&w, "phases_us");
	jsonw_object(&w);
	jsonw_key_i(&w, "collect", o->phases_us.collect);
	jsonw_key_i(&w, "overlay", o->phases_us.overlay);
	jsonw_key_i(&w, "prepare", o->phases_us.prepare);
	jsonw_key_i(&w, "run", o->phases_us.run);
	jsonw_key_i(&w, "sandbox", o->phases_us.sandbox);
	jsonw_object_end(&w);
	jsonw_key(&w, "reason");
	jsonw_object(&w);
	jsonw_key_s(&w, "code", o->reason_code);
	jsonw_key_s(&w, "text", o->reason_text);
	jsonw_object_end(&w);
	jsonw_key_s(&w, "results_error", o->results_error);
	jsonw_key(&w, "sandbox");
	jsonw_object(&w);
	jsonw_key_i(&w, "landlock", o->landlock);
	jsonw_object_end(&w);
	jsonw_key_i(&w, "signal", o->signal);
	jsonw_key_i(&w, "started_ms", o->started_ms);
	if (o->has_tests) put_tests(&w, o);
	if (o->traced) jsonw_key_b(&w, "traced", true);
	if (o->untraced.n) jsonw_key_s(&w, "untraced", o->untraced);
	jsonw_object_end(&w);
}

static struct str text(const struct json *v, const char *key, struct arena *life) {
	return arena_str(life, json_get_str(v, key));
}

static bool parse_end(struct str name, enum exec_end *end) {
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!str_eq(name, str_of(names[i]))) continue;
		*end = (enum exec_end)i;
		return true;
	}
	return false;
}

static void parse_parts(const struct json *v, struct arena *life, struct exec_outcome *o) {
	const struct json *part = json_get(v, "artifact");
	o->has_artifact = part && digest_parse(json_get_str(part, "digest"), &o->artifact);
	o->artifact_bytes = json_get_int(part, "bytes", 0);
	o->artifact_files = json_get_int(part, "files", 0);
	part = json_get(v, "limits");
	o->cpu_limit_milli = json_get_int(part, "cpu_milli", 0);
	o->memory_limit_bytes = json_get_int(part, "memory_bytes", 0);
	o->pids_limit = json_get_int(part, "pids", 0);
	o->hit_disk = json_get_bool(part, "hit_disk", false);
	o->hit_memory = json_get_bool(part, "hit_memory", false);
	o->hit_pids = json_get_bool(part, "hit_pids", false);
	part = json_get(v, "log");
	o->log_bytes = json_get_int(part, "bytes", 0);
	o->log_dropped_bytes = json_get_int(part, "dropped_bytes", 0);
	o->log_text_bytes = json_get_int(part, "text_bytes", 0);
	o->secrets_masked = json_get_int(part, "secrets_masked", 0);
	part = json_get(v, "phases_us");
	o->phases_us.collect = json_get_int(part, "collect", 0);
	o->phases_us.overlay = json_get_int(part, "overlay", 0);
	o->phases_us.prepare = json_get_int(part, "prepare", 0);
	o->phases_us.run = json_get_int(part, "run", 0);
	o->phases_us.sandbox = json_get_int(part, "sandbox", 0);
	part = json_get(v, "tests");
	o->has_tests = part != NULL;
	o->tests = json_get_int(part, "total", 0);
	o->tests_failed = json_get_int(part, "failed", 0);
	o->tests_passed = json_get_int(part, "passed", 0);
	o->tests_skipped = json_get_int(part, "skipped", 0);
	part = json_get(part, "first_failed");
	o->failed_tests_n = json_length(part);
	if (o->failed_tests_n) o->failed_tests = ARENA_ARRAY(life, struct str, o->failed_tests_n);
	for (size_t i = 0; i < o->failed_tests_n; i++)
		o->failed_tests[i] = arena_str(life, json_str(json_at(part, i)));
}

bool outcome_parse(struct str json, struct arena *life, struct exec_outcome *out, struct err *e) {
	AUTO_JSON v = NULL;
	struct exec_outcome o = {0};
	if (!json_parse(json, &v, e)) return false;
	if (!parse_end(json_get_str(v, "outcome"), &o.end))
		return err_set(e, ERR_CORRUPT, "the outcome has no known end");
	o.reason_code = text(json_get(v, "reason"), "code", life);
	o.reason_text = text(json_get(v, "reason"), "text", life);
	o.cgroup = text(v, "cgroup", life);
	o.results_error = text(v, "results_error", life);
	o.traced = json_get_bool(v, "traced", false);
	o.untraced = text(v, "untraced", life);
	o.coverage_error = text(v, "coverage_error", life);
	o.exit_code = json_get_int(v, "exit_code", -1);
	o.signal = json_get_int(v, "signal", 0);
	o.started_ms = json_get_int(v, "started_ms", 0);
	o.duration_ms = json_get_int(v, "duration_ms", 0);
	o.cpu_ms = json_get_int(v, "cpu_ms", 0);
	o.memory_peak_bytes = json_get_int(v, "memory_peak_bytes", 0);
	o.landlock = json_get_int(json_get(v, "sandbox"), "landlock", 0);
	parse_parts(v, life, &o);
	*out = o;
	return true;
}
