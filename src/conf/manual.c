#include "conf/manual.h"

#include "base/clocktext.h"
#include "conf/conf.h"
#include "conf/keys.h"

// Text of a line: a backslash and a leading dot or quote mean something to troff, a hyphen becomes
// a dash.
static void add_text(struct buf *out, const char *text) {
	for (const char *p = text; *p; p++) {
		bool first = p == text || p[-1] == '\n';
		if (first && (*p == '.' || *p == '\'')) buf_cstr(out, "\\&");
		if (*p == '\\') buf_cstr(out, "\\e");
		else if (*p == '-') buf_cstr(out, "\\-");
		else buf_char(out, *p);
	}
}

static void add_amount(const struct key *key, int64_t value, struct buf *out) {
	if (key->kind == KEY_DURATION && value < 1000) buf_printf(out, "%d ms", (int)value);
	else if (key->kind == KEY_DURATION) clocktext_duration_text(out, value);
	else if (key->kind == KEY_SIZE && value >= (int64_t)1 << 40)
		buf_printf(out, "%dT", (int)(value >> 40));
	else if (key->kind == KEY_SIZE) buf_printf(out, "%dM", (int)(value >> 20));
	else if (key->kind == KEY_CPU && value >= 1000) buf_printf(out, "%d", (int)(value / 1000));
	else if (key->kind == KEY_CPU) buf_printf(out, "%dm", (int)value);
	else buf_printf(out, "%lld", (long long)value);
}

static void add_limits(const struct key *key, struct buf *out) {
	bool number = key->kind == KEY_COUNT || key->kind == KEY_DURATION || key->kind == KEY_SIZE ||
	              key->kind == KEY_CPU;
	if (key->flags & KEY_REQUIRED) buf_cstr(out, " Required.");
	if (key->otherwise[0]) {
		buf_cstr(out, " Default: ");
		add_text(out, key->otherwise);
		buf_char(out, '.');
	}
	if (number) {
		buf_cstr(out, " From ");
		add_amount(key, key->min, out);
		buf_cstr(out, " to ");
		add_amount(key, key->max, out);
		buf_char(out, '.');
	} else if (key->max && key->kind != KEY_COMMAND) {
		buf_printf(out, " At most %lld.", (long long)key->max);
	}
}

static void add_scope(enum keys_scope scope, struct buf *out) {
	KEYS_EACH(scope, key) {
		if (key->flags & KEY_INTERNAL) continue;
		buf_cstr(out, ".TP\n.B ");
		add_text(out, key->name);
		buf_cstr(out, "\n");
		add_text(out, key->doc);
		if (key->flags & KEY_NOT_YET) {
			buf_cstr(out, " Not yet supported: weir refuses it.\n");
			continue;
		}
		buf_cstr(out, " Takes ");
		add_text(out, key_expects(key));
		buf_char(out, '.');
		add_limits(key, out);
		buf_char(out, '\n');
	}
}

static const char *const headings[] = {
	[KEYS_ROOT] = "TOP OF THE FILE",
	[KEYS_JOB] = "A JOB (jobs.NAME)",
	[KEYS_RESOURCES] = "RESOURCES (jobs.NAME.resources)",
	[KEYS_ENVIRONMENT] = "AN ENVIRONMENT (environments.NAME)",
	[KEYS_SERVICE] = "SERVICE (environments.NAME.service)",
	[KEYS_TLS] = "TLS (environments.NAME.tls)",
	[KEYS_ROLLOUT] = "ROLLOUT (environments.NAME.rollout)",
};

static const char opening[] =
	".TH WEIR.YML 5\n"
	".SH NAME\n"
	"weir.yml \\- what weir builds, tests and runs of a repository\n"
	".SH DESCRIPTION\n"
	"One YAML 1.2 file at the root of a repository says which jobs a change must pass and where a "
	"release\n"
	"runs.\n"
	"The jobs of a change come from its own weir.yml, but a job of trunk stays required;\n"
	"environments and secrets come from trunk.\n"
	".BR \"weir check\" \" finds errors,\"\n"
	".B weir init\n"
	"writes a first one.\n"
	".PP\n";

static const char closing[] = ".SH PATTERNS\n"
							  "Paths count from the root of the repository.\n"
							  ".B *\n"
							  "stands for any characters within one part of a path,\n"
							  ".B ?\n"
							  "for one,\n"
							  ".B **\n"
							  "for any number of folders; a folder stands for all below it.\n"
							  ".SH EXAMPLE\n"
							  ".nf\n"
							  "jobs:\n"
							  "  build:\n"
							  "    run: make \\-j2\n"
							  "    artifacts: [build/shortlink]\n"
							  "  test:\n"
							  "    needs: [build]\n"
							  "    run: make check\n"
							  "    results: [build/junit.xml]\n"
							  "environments:\n"
							  "  production:\n"
							  "    artifacts: [build/shortlink]\n"
							  "    service:\n"
							  "      run: build/shortlink \\-\\-port $PORT\n"
							  "      health: /healthz\n"
							  "    listen: 127.0.0.1:8000\n"
							  ".fi\n"
							  ".SH SEE ALSO\n"
							  ".BR weir (1)\n";

void manual_write(struct buf *out) {
	buf_cstr(out, opening);
	buf_printf(out,
	           "The file has at most %d KB and %d keys and values. Anchors, aliases, tags, merge "
	           "keys and tabs as\n"
	           "indentation are refused. Names of jobs and environments have at most %d bytes, "
	           "letters, digits,\n"
	           "dot, underscore and hyphen; matrix and shards may make %d jobs.\n",
	           CONF_BYTES_MAX / 1024, CONF_NODES_MAX, CONF_NAME_MAX, CONF_JOBS_MAX);
	for (unsigned scope = 0; scope < KEYS_SCOPES_N; scope++) {
		buf_printf(out, ".SH %s\n", headings[scope]);
		add_scope((enum keys_scope)scope, out);
	}
	buf_cstr(out, closing);
}
