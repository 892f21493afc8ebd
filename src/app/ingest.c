#include "app/ingest.h"

#include <sys/stat.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "os/file.h"
#include "store/object.h"

enum { MANIFEST_MAX = 16 * 1024 * 1024, FOLDER_DEPTH = 32 };

static bool put_optional(struct object_store *s, const char *path, struct digest *out,
                         struct err *e) {
	uint64_t bytes;
	if (!file_exists(path)) return true;
	return object_put_file(s, path, 0, out, &bytes, e);
}

static bool put_artifacts(struct object_store *s, const char *folder, struct arena *life,
                          struct digest *out, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_JSON list = NULL;
	struct str path = arena_printf(life, "%s/out/manifest.json", folder);
	if (!file_exists(path.p)) return true;
	if (!file_read(path.p, MANIFEST_MAX, &text, e) || !json_parse(buf_view(&text), &list, e))
		return false;
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json *entry = json_at(list, i);
		struct digest body, wanted;
		uint64_t bytes;
		if (!digest_parse(json_get_str(entry, "sha256"), &wanted)) continue; // a link
		struct str file = arena_printf(life, "%s/out/files/" STR_FMT, folder,
		                               STR_ARG(json_get_str(entry, "path")));
		if (!object_put_file(s, file.p, 0, &body, &bytes, e)) return false;
		if (!digest_eq(body, wanted))
			return err_set(e, ERR_CORRUPT, "%s is not what the run collected", file.p);
	}
	return object_put(s, buf_view(&text), out, e);
}

// A folder of files as one object: [{"path","sha256"}], bodies are objects of their own.
static bool put_folder(struct object_store *s, const char *folder, const char *below, int depth,
                       struct jsonw *w, struct arena *life, struct err *e) {
	struct str *names;
	size_t count;
	if (depth > FOLDER_DEPTH || !file_list(folder, life, &names, &count, e))
		return depth <= FOLDER_DEPTH ? false : true;
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		struct digest body;
		char hex[DIGEST_HEX + 1];
		uint64_t bytes;
		struct str path = arena_printf(life, "%s/" STR_FMT, folder, STR_ARG(names[i]));
		struct str name = arena_printf(life, "%s%s" STR_FMT, below, *below ? "/" : "",
		                               STR_ARG(names[i]));
		if (lstat(path.p, &st)) continue;
		if (S_ISDIR(st.st_mode) && !put_folder(s, path.p, name.p, depth + 1, w, life, e))
			return false;
		if (!S_ISREG(st.st_mode)) continue;
		if (!object_put_file(s, path.p, 0, &body, &bytes, e)) return false;
		digest_hex(body, hex);
		jsonw_object(w);
		jsonw_key_s(w, "path", name);
		jsonw_key_z(w, "sha256", hex);
		jsonw_object_end(w);
	}
	return true;
}

static bool put_coverage(struct object_store *s, const char *folder, struct arena *life,
                         struct digest *out, struct err *e) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	struct str path = arena_printf(life, "%s/coverage", folder);
	if (!file_exists(path.p)) return true;
	jsonw_array(&w);
	if (!put_folder(s, path.p, "", 0, &w, life, e)) return false;
	jsonw_array_end(&w);
	return text.n <= 2 ? true : object_put(s, buf_view(&text), out, e);
}

bool ingest_folder(const char *objects, const char *folder, struct str inputs,
                   const struct exec_outcome *o, struct ingest *out, struct err *e) {
	AUTO_ARENA life = {0};
	struct digest unused;
	AUTO_OBJECTS s = NULL;
	*out = (struct ingest){0};
	if (!object_store_open(objects, &s, e)) return false;
	object_batch_begin(s);
	return (!inputs.p || object_put(s, inputs, &unused, e)) &&
	       put_optional(s, arena_printf(&life, "%s/log", folder).p, &out->log, e) &&
	       (!o->has_artifact || put_artifacts(s, folder, &life, &out->artifacts, e)) &&
	       put_optional(s, arena_printf(&life, "%s/results.json", folder).p, &out->results, e) &&
	       put_coverage(s, folder, &life, &out->coverage, e) && object_batch_commit(s, e);
}

static enum reason reason_of(const struct exec_outcome *o) {
	switch (o->end) {
	case EXEC_PASSED: return REASON_NONE;
	case EXEC_TIMEOUT: return REASON_JOB_TIMED_OUT;
	case EXEC_KILLED: return REASON_JOB_KILLED;
	case EXEC_CANCELLED: return REASON_CANCELLED;
	case EXEC_ERROR: return REASON_INFRASTRUCTURE;
	case EXEC_FAILED: break;
	}
	if (str_starts(o->reason_code, STR("artifact-missing"))) return REASON_ARTIFACT_MISSING;
	if (str_ends(o->reason_code, STR("-secret"))) return REASON_SECRET_IN_OUTPUT;
	if (o->tests_failed > 0) return REASON_TEST_FAILED;
	return o->signal ? REASON_SIGNALLED : REASON_JOB_FAILED;
}

static struct str failed_tests(const struct exec_outcome *o, struct arena *life) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	if (!o->failed_tests_n) return STR_NONE;
	jsonw_array(&w);
	for (size_t i = 0; i < o->failed_tests_n; i++) jsonw_str(&w, o->failed_tests[i]);
	jsonw_array_end(&w);
	return arena_str(life, buf_view(&text));
}

struct event ingest_event(struct run_id run, const struct exec_outcome *o,
                          const struct ingest *stored, struct arena *life) {
	if (o->end == EXEC_CANCELLED)
		return (struct event){.kind = EVENT_RUN_STOPPED,
		                      .run_stopped = {run, o->duration_ms, stored->log}};
	if (o->end == EXEC_ERROR)
		return (struct event){.kind = EVENT_RUN_LOST,
		                      .run_lost = {.run = run,
		                                   .text = o->reason_text,
		                                   .no_room = str_eq(o->reason_code, STR("no-space"))}};
	struct str text = o->reason_text;
	if (o->results_error.n)
		text = text.n ? arena_printf(life, STR_FMT "; " STR_FMT, STR_ARG(text),
		                             STR_ARG(o->results_error))
		              : o->results_error;
	return (struct event){.kind = EVENT_RUN_FINISHED,
	                      .run_finished = {
							  .run = run,
							  .outcome = o->end == EXEC_PASSED ? OUTCOME_PASSED : OUTCOME_FAILED,
							  .reason = reason_of(o),
							  .text = text,
							  .exit_status = o->exit_code < 0 ? 0 : o->exit_code,
							  .signal = o->signal,
							  .duration_ms = o->duration_ms,
							  .cpu_ms = o->cpu_ms,
							  .memory_bytes = o->memory_peak_bytes,
							  .cgroup = o->cgroup,
							  .artifacts = stored->artifacts,
							  .log = stored->log,
							  .results = stored->results,
							  .coverage = stored->coverage,
							  .tests = o->tests,
							  .tests_failed = o->tests_failed,
							  .failed_tests = failed_tests(o, life),
						  }};
}
