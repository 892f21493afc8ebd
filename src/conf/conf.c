#include "conf/conf.h"

#include "conf/check.h"
#include "conf/expand.h"
#include "conf/needs.h"

// What libfyaml would let through: it reads any bytes, and has no opinion about size.
static bool check_bytes(struct str text, struct conf_diagnostics *d) {
	size_t bad = str_utf8_bad(text);
	if (text.n > CONF_BYTES_MAX) {
		diagnostics_error(d, "too-large", (struct conf_span){0, 1}, STR_NONE,
		                  "the file is larger than 1 MB");
		return false;
	}
	if (bad < text.n) {
		diagnostics_error(d, "not-utf8", (struct conf_span){bad, 1}, STR("save the file as UTF-8"),
		                  "byte 0x%02x is not UTF-8", (unsigned)(unsigned char)text.p[bad]);
		return false;
	}
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if ((c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\r') continue;
		diagnostics_error(d, "control-character", (struct conf_span){i, 1}, STR("remove it"),
		                  "control character 0x%02x", (unsigned)c);
		return false;
	}
	return true;
}

static void judge(struct str text, struct arena *life, struct conf_plan *plan,
                  struct conf_diagnostics *d) {
	AUTO_ARENA scratch = {0};
	struct yaml_node *root = NULL;
	struct draft draft;
	if (!check_bytes(text, d) || !yaml_parse(text, &scratch, &root, d)) return;
	draft_read(root, life, &draft, d);
	needs_resolve(&draft, &scratch, d);
	plan->trunk = draft.trunk;
	plan->environments_n = draft.environments_n;
	plan->environments = ARENA_ARRAY(life, struct conf_environment, draft.environments_n);
	for (size_t i = 0; i < draft.environments_n; i++)
		plan->environments[i] = draft.environments[i].environment;
	if (expand_jobs(&draft, life, plan, d)) check_plan(&draft, plan, &scratch, d);
}

bool conf_parse(struct str text, struct arena *life, struct conf_plan **out,
                struct conf_diagnostics *d) {
	struct conf_plan *plan = ARENA_NEW(life, struct conf_plan);
	diagnostics_begin(d, text.n > CONF_BYTES_MAX ? str_slice(text, 0, CONF_BYTES_MAX + 1) : text);
	judge(text, life, plan, d);
	diagnostics_sort(d);
	if (d->errors) return false;
	*out = plan;
	return true;
}
