#include "conf/value.h"

#include <assert.h>

#include "base/clocktext.h"
#include "base/glob.h"

static bool is_alnum(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, struct str set) {
	return str_find_char(set, c) < set.n;
}

static bool has_control(struct str s) {
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) return true;
	return false;
}

bool value_is_variable(struct str name) {
	if (name.n == 0 || name.n > 100 || (name.p[0] >= '0' && name.p[0] <= '9')) return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) && name.p[i] != '_') return false;
	return true;
}

bool value_is_name(struct str name) {
	if (name.n == 0 || name.n > CONF_NAME_MAX || !is_alnum(name.p[0])) return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) && !is_one_of(name.p[i], STR("._-"))) return false;
	return true;
}

// What was written, short enough for a message.
static struct str shown(struct str text, struct arena *life) {
	if (text.n <= 60) return text;
	size_t end = 57;
	while (end > 0 && ((unsigned char)text.p[end] & 0xc0) == 0x80) end--;
	return arena_printf(life, STR_FMT "…", STR_ARG(str_slice(text, 0, end)));
}

static bool wrong(struct value_problem *why, struct arena *life, const char *code, struct str text,
                  const char *is, const char *hint) {
	struct str part = shown(text, life);
	*why = (struct value_problem){code, arena_printf(life, "\"" STR_FMT "\" %s", STR_ARG(part), is),
	                              hint};
	return false;
}

bool value_path(struct str written, struct arena *life, struct str *out,
                struct value_problem *why) {
	struct str rest = written;
	AUTO_BUF path = {0};
	if (written.n == 0) return wrong(why, life, "bad-path", written, "is not a path", "");
	if (has_control(written))
		return wrong(why, life, "bad-path", written, "has a control character", "");
	if (written.p[0] == '/' || written.p[0] == '~')
		return wrong(why, life, "bad-path", written, "is not below the repository",
		             "write it from the root of the repository, such as `build/app`");
	while (rest.p) {
		struct str part = str_cut(&rest, '/');
		if (str_eq(part, STR("..")))
			return wrong(why, life, "bad-path", written, "leads out of the repository",
			             "`..` may not be used");
		if (part.n == 0 || str_eq(part, STR("."))) continue;
		if (path.n) buf_char(&path, '/');
		buf_str(&path, part);
	}
	if (path.n > GLOB_BYTES_MAX)
		return wrong(why, life, "bad-path", written, "is longer than 200 bytes", "");
	*out = arena_str(life, buf_view(&path));
	return true;
}

static bool read_pattern(struct str text, struct arena *life, struct str *out,
                         struct value_problem *why) {
	struct str path;
	if (!value_path(text, life, &path, why)) return false;
	if (path.n == 0)
		return wrong(why, life, "bad-path", text, "is the whole repository",
		             "name files or folders, such as `build/app`");
	*out = path;
	return true;
}

static bool read_file(struct str text, struct arena *life, struct str *out,
                      struct value_problem *why) {
	if (text.n < 2 || text.p[0] != '/' || text.n > 4000 || has_control(text))
		return wrong(why, life, "bad-path", text, "is not an absolute path",
		             "write where it is on the server, such as `/etc/ssl/site.pem`");
	*out = arena_str(life, text);
	return true;
}

static bool read_health(struct str text, struct arena *life, struct str *out,
                        struct value_problem *why) {
	bool good = text.n >= 1 && text.n <= 1000 && text.p[0] == '/';
	for (size_t i = 0; good && i < text.n; i++) good = text.p[i] > 0x20 && text.p[i] < 0x7f;
	if (!good)
		return wrong(why, life, "bad-path", text, "is not a path of HTTP",
		             "write what follows the host, such as `/healthz`");
	*out = arena_str(life, text);
	return true;
}

// git check-ref-format, as far as a branch can break it.
static bool is_branch(struct str name) {
	if (name.n == 0 || name.n > 200 || str_eq(name, STR("HEAD")) || str_eq(name, STR("@")))
		return false;
	if (name.p[0] == '-' || str_contains(name, STR("..")) || str_contains(name, STR("@{")))
		return false;
	if (has_control(name) || str_starts(name, STR("refs/"))) return false;
	for (size_t i = 0; i < name.n; i++)
		if (is_one_of(name.p[i], STR(" ~^:?*[\\"))) return false;
	for (struct str rest = name; rest.p;) {
		struct str part = str_cut(&rest, '/');
		if (part.n == 0 || part.p[0] == '.' || str_ends(part, STR(".lock")) ||
		    str_ends(part, STR(".")))
			return false;
	}
	return true;
}

static bool read_branch(struct str text, struct arena *life, struct str *out,
                        struct value_problem *why) {
	if (!is_branch(text))
		return wrong(why, life, "bad-branch", text, "cannot name a branch", "such as `main`");
	*out = arena_str(life, text);
	return true;
}

static bool read_command(const struct key *key, struct str text, struct arena *life,
                         struct str *out, struct value_problem *why) {
	if (str_trim(text).n == 0)
		return wrong(why, life, "bad-command", text, "is no command", "such as `make check`");
	if ((int64_t)text.n > key->max)
		return wrong(why, life, "too-large", text, "is longer than 64 KB",
		             "put it into a script of the repository");
	*out = arena_str(life, text);
	return true;
}

static bool read_bool(struct str text, struct arena *life, bool *out, struct value_problem *why) {
	if (str_eq(text, STR("true"))) return *out = true, true;
	if (str_eq(text, STR("false"))) return *out = false, true;
	return wrong(why, life, "wrong-type", text, "is neither true nor false",
	             "write `true` or `false`");
}

static bool read_choice(const struct key *key, struct str text, struct arena *life, unsigned *out,
                        struct value_problem *why) {
	size_t n = 0;
	const char *const *choices = key_choices(key, &n);
	AUTO_BUF all = {0};
	struct str names[8];
	for (size_t i = 0; i < n; i++) {
		names[i] = str_of(choices[i]);
		if (str_eq(text, names[i])) return *out = (unsigned)i, true;
		buf_printf(&all, "%s%s", i == 0 ? "" : i + 1 == n ? " nor " : ", ", choices[i]);
	}
	struct str near = keys_nearest(names, n, text);
	const char *hint = near.n ? arena_printf(life, "did you mean `" STR_FMT "`?", STR_ARG(near)).p
	                          : "";
	return wrong(why, life, "bad-choice", text,
	             arena_printf(life, "is neither " STR_FMT, STR_ARG(buf_view(&all))).p, hint);
}

// Digits with at most `places` decimals, times 10^places; false when it is none or too large.
static bool decimal(struct str text, int places, int64_t *out) {
	struct str rest = text, whole = str_cut(&rest, '.');
	int64_t value = 0, part = 0;
	if (!str_to_i64(whole, &value) || whole.p[0] == '-') return false;
	bool has_part = whole.n < text.n;
	if (has_part &&
	    (rest.n == 0 || rest.n > (size_t)places || rest.p[0] == '-' || !str_to_i64(rest, &part)))
		return false;
	for (int i = 0; i < places; i++)
		if (__builtin_mul_overflow(value, 10, &value)) return false;
	for (size_t i = has_part ? rest.n : (size_t)places; i < (size_t)places; i++) part *= 10;
	return !__builtin_add_overflow(value, part, out);
}

static bool parse_cpu(struct str text, int64_t *milli) {
	if (str_ends(text, STR("m"))) return str_to_i64(str_slice(text, 0, text.n - 1), milli);
	return decimal(text, 3, milli);
}

// 512M, 512MB and 512MiB are the same: powers of 1024.
static bool parse_size(struct str text, int64_t *bytes) {
	static const char units[] = "KMGT";
	struct str number = text;
	if (str_ends(number, STR("iB"))) number.n -= 2;
	else if (str_ends(number, STR("B"))) number.n -= 1;
	const char *unit = number.n ? strchr(units, number.p[number.n - 1]) : NULL;
	if (unit && *unit) number.n--;
	else if (number.n < text.n && text.n - number.n == 2) return false; // "5iB"
	else unit = NULL;
	int64_t thousandths, factor = unit ? (int64_t)1 << (10 * (unit - units + 1)) : 1;
	if (!decimal(number, 3, &thousandths) || (!unit && thousandths % 1000)) return false;
	return !__builtin_mul_overflow(thousandths, factor, bytes) && (*bytes /= 1000, true);
}

static bool parse_number(const struct key *key, struct str text, int64_t *out, const char **is,
                         const char **hint, const char **code) {
	if (key->kind == KEY_DURATION) {
		*code = "bad-duration";
		*is = "is not a duration";
		*hint = "write a number and ms, s, m, h or d, such as `10m`";
		return clocktext_duration(text, out);
	}
	if (key->kind == KEY_SIZE) {
		*code = "bad-size";
		*is = "is not a size";
		*hint = "write a number and K, M, G or T, such as `512M`";
		return parse_size(text, out);
	}
	if (key->kind == KEY_CPU) {
		*code = "bad-cpu";
		*is = "is not a number of processor cores";
		*hint = "such as `2`, `0.5` or `500m`";
		return parse_cpu(text, out);
	}
	if (key->kind == KEY_PERCENTS) {
		*code = "bad-percentage";
		*is = "is not a percentage";
		*hint = "write a whole number and %, such as `10%`";
		int64_t value;
		if (!str_ends(text, STR("%")) || !str_to_i64(str_slice(text, 0, text.n - 1), &value))
			return false;
		if (value < 1 || value > 100) return false;
		*out = value;
		return true;
	}
	*code = "bad-number";
	*is = "is not a whole number";
	*hint = "";
	return str_to_i64(text, out);
}

static struct str number_text(const struct key *key, int64_t value, struct arena *life) {
	if (key->kind == KEY_DURATION) {
		AUTO_BUF text = {0};
		clocktext_duration_text(&text, value);
		return value < 1000 ? arena_printf(life, "%d ms", (int)value)
		                    : arena_str(life, buf_view(&text));
	}
	if (key->kind == KEY_SIZE && value % 1048576 == 0)
		return arena_printf(life, "%lldM", (long long)value >> 20);
	if (key->kind == KEY_CPU && value % 1000 == 0)
		return arena_printf(life, "%lld", (long long)value / 1000);
	if (key->kind == KEY_CPU) return arena_printf(life, "%lldm", (long long)value);
	return arena_printf(life, "%lld", (long long)value);
}

static bool read_number(const struct key *key, struct str text, struct arena *life, int64_t *out,
                        struct value_problem *why) {
	const char *is, *hint, *code;
	int64_t value;
	if (!parse_number(key, text, &value, &is, &hint, &code))
		return wrong(why, life, code, text, is, hint);
	bool few = value < key->min && key->kind != KEY_PERCENTS;
	if (!few && (value <= key->max || key->kind == KEY_PERCENTS)) return *out = value, true;
	struct str limit = number_text(key, few ? key->min : key->max, life);
	return wrong(why, life, "out-of-range", text,
	             arena_printf(life, "is %s than %s may be", few ? "less" : "more", key->name).p,
	             arena_printf(life, "at %s " STR_FMT, few ? "least" : "most", STR_ARG(limit)).p);
}

static bool is_host(struct str host, bool bracketed) {
	if (str_eq(host, STR("*"))) return !bracketed;
	if (host.n == 0 || host.n > 253) return false;
	bool colon = false;
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (bracketed ? !hex && c != ':' && c != '.' : !is_alnum(c) && c != '.' && c != '-')
			return false;
		colon |= c == ':';
	}
	if (bracketed) return colon;
	if (host.p[0] == '-' || host.p[0] == '.') return false;
	// Only digits and dots: then it must be four numbers below 256.
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9')) return true;
	size_t parts = 0;
	for (struct str rest = host; rest.p; parts++) {
		int64_t number;
		if (!str_to_i64(str_cut(&rest, '.'), &number) || number > 255) return false;
	}
	return parts == 4;
}

static bool read_listen(struct str text, struct arena *life, struct conf_listen *out,
                        struct value_problem *why) {
	size_t colon = text.n;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == ':') colon = i;
	struct str host = str_slice(text, 0, colon), port = str_from(text, colon + 1);
	bool bracketed = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (bracketed) host = str_slice(host, 1, host.n - 1);
	int64_t number = 0;
	if (!is_host(host, bracketed) || port.n > 5 || !str_to_i64(port, &number) || number < 1 ||
	    number > 65535)
		return wrong(why, life, "bad-address", text, "is not an address and port",
		             "such as `127.0.0.1:8000`, `[::1]:8000` or `*:443`");
	*out = (struct conf_listen){arena_str(life, text), arena_str(life, host), number};
	return true;
}

static bool read_secret(struct str text, struct arena *life, struct str *out,
                        struct value_problem *why) {
	if (!value_is_variable(text) || str_starts(text, STR("WEIR_")))
		return wrong(why, life, "bad-name", text, "cannot name a secret",
		             "letters, digits and _, not WEIR_ in front, such as `DEPLOY_TOKEN`");
	*out = arena_str(life, text);
	return true;
}

bool value_read(const struct key *key, struct str text, struct arena *life, void *member,
                struct value_problem *why) {
	switch (key->kind) {
	case KEY_TEXT: *(struct str *)member = arena_str(life, text); return true;
	case KEY_COMMAND: return read_command(key, text, life, member, why);
	case KEY_BRANCH: return read_branch(text, life, member, why);
	case KEY_FOLDER: return value_path(text, life, member, why);
	case KEY_FILE: return read_file(text, life, member, why);
	case KEY_HEALTH: return read_health(text, life, member, why);
	case KEY_BOOL: return read_bool(text, life, member, why);
	case KEY_COUNT:
	case KEY_DURATION:
	case KEY_SIZE:
	case KEY_CPU:
	case KEY_PERCENTS: return read_number(key, text, life, member, why);
	case KEY_WHEN:
	case KEY_STRATEGY: return read_choice(key, text, life, member, why);
	case KEY_LISTEN: return read_listen(text, life, member, why);
	case KEY_PATTERNS: return read_pattern(text, life, member, why);
	case KEY_SECRETS: return read_secret(text, life, member, why);
	case KEY_ENV:
	case KEY_NEEDS:
	case KEY_MATRIX:
	case KEY_ANY:
	case KEY_JOBS:
	case KEY_ENVIRONMENTS:
	case KEY_RESOURCES:
	case KEY_SERVICE:
	case KEY_TLS:
	case KEY_ROLLOUT: break;
	}
	assert(false); // not a scalar
	return false;
}

bool value_is_scalar(enum key_kind kind) {
	return kind <= KEY_LISTEN;
}

void value_defaults(enum keys_scope scope, struct arena *life, void *out) {
	KEYS_EACH(scope, key) {
		struct value_problem why;
		enum keys_scope child;
		char *member = (char *)out + key->offset;
		if (key->otherwise[0] && value_is_scalar(key->kind)) {
			bool ok = value_read(key, str_of(key->otherwise), life, member, &why);
			assert(ok); // the table is right
		} else if (key_child(key, &child) && key->kind > KEY_ENVIRONMENTS) {
			value_defaults(child, life, member);
		}
	}
}
