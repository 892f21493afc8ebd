#include "cli/args.h"

#include "base/clocktext.h"

bool args_has(const struct args *a, const char *name) {
	for (size_t i = 0; i < a->set_count; i++)
		if (!strcmp(a->set[i].option->name, name)) return true;
	return false;
}

const char *args_value(const struct args *a, const char *name) {
	for (size_t i = a->set_count; i-- > 0;)
		if (!strcmp(a->set[i].option->name, name)) return a->set[i].value;
	return NULL;
}

bool args_duration(const struct args *a, const char *name, int64_t *out_ms, struct err *e) {
	const char *text = args_value(a, name);
	int64_t seconds;
	if (!text || clocktext_duration(str_of(text), out_ms)) return true;
	if (str_to_i64(str_of(text), &seconds) && seconds > 0 && seconds < 315360000) {
		*out_ms = seconds * 1000;
		return true;
	}
	return err_set(e, ERR_INVALID,
	               "\"%s\" is not a duration: --%s takes a number and ms, s, m, h or d, such as 5m",
	               text, name);
}

bool args_number(const struct args *a, const char *name, int64_t min, int64_t max, int64_t *out,
                 struct err *e) {
	const char *text = args_value(a, name);
	int64_t value;
	if (!text) return true;
	if (!str_to_i64(str_of(text), &value) || value < min || value > max)
		return err_set(e, ERR_INVALID, "\"%s\" is not right: --%s takes a number from %lld to %lld",
		               text, name, (long long)min, (long long)max);
	*out = value;
	return true;
}

const char *args_nearest(const char *typed, const char *const *names, size_t n) {
	const char *best = NULL;
	size_t best_distance = strlen(typed) / 3 + 2; // a slip a few letters, not another word
	for (size_t i = 0; i < n; i++) {
		size_t distance = str_distance(str_of(typed), str_of(names[i]));
		if (strlen(typed) >= 3 && str_starts(str_of(names[i]), str_of(typed)) && distance > 1)
			distance = 1;
		if (distance >= best_distance || distance >= strlen(names[i])) continue;
		best = names[i];
		best_distance = distance;
	}
	return best;
}

static const struct args_option *find(const struct args_option *table, struct str name) {
	for (; table && table->name; table++)
		if (str_eq(str_of(table->name), name)) return table;
	return NULL;
}

static const struct args_option *find_letter(const struct args_option *table, char letter) {
	for (; table && table->name; table++)
		if (table->letter == letter) return table;
	return NULL;
}

static bool unknown(const struct args_option *table, struct str name, struct arena *life,
                    struct err *e) {
	size_t n = 0;
	while (table && table[n].name) n++;
	const char **names = ARENA_ARRAY(life, const char *, n + 1);
	for (size_t i = 0; i < n; i++) names[i] = table[i].name;
	const char *nearest = args_nearest(arena_cstr(life, name), names, n);
	if (nearest)
		return err_set(e, ERR_INVALID, "unknown option --" STR_FMT ", did you mean --%s?",
		               STR_ARG(name), nearest);
	return err_set(e, ERR_INVALID, "unknown option --" STR_FMT, STR_ARG(name));
}

static bool is_choice(const char *choices, struct str value) {
	struct str rest = str_of(choices);
	while (rest.p)
		if (str_eq(str_cut(&rest, ' '), value)) return true;
	return false;
}

struct reader {
	const struct args_option *table;
	const char *const *argv;
	size_t n, at;
	struct arena *life;
	const char **words;
	struct args_set *set;
	struct args *out;
};

// `value` is what stood behind = or behind the letter, NULL if nothing did.
static bool take(struct reader *r, const struct args_option *o, const char *value, struct err *e) {
	if (!o->value && value) return err_set(e, ERR_INVALID, "--%s takes no value", o->name);
	if (o->value && !value) {
		if (r->at == r->n)
			return err_set(e, ERR_INVALID, "--%s needs a value: --%s %s", o->name, o->name,
			               o->value);
		value = r->argv[r->at++];
	}
	if (o->choices && !is_choice(o->choices, str_of(value)))
		return err_set(e, ERR_INVALID, "--%s is one of: %s; not \"%s\"", o->name, o->choices,
		               value);
	r->set[r->out->set_count++] = (struct args_set){o, value};
	return true;
}

static bool take_long(struct reader *r, const char *word, struct err *e) {
	struct str rest = str_of(word + 2), name = str_cut(&rest, '=');
	const struct args_option *o = find(r->table, name);
	if (!o) return unknown(r->table, name, r->life, e);
	return take(r, o, rest.p, e);
}

static bool take_letters(struct reader *r, const char *word, struct err *e) {
	for (const char *p = word + 1; *p; p++) {
		const struct args_option *o = find_letter(r->table, *p);
		if (!o) return err_set(e, ERR_INVALID, "unknown option -%c", *p);
		if (o->value) return take(r, o, p[1] ? p + 1 : NULL, e);
		if (!take(r, o, NULL, e)) return false;
	}
	return true;
}

bool args_read(const struct args_option *table, size_t n, const char *const *argv,
               struct arena *life, struct args *out, struct err *e) {
	struct args got = {0};
	struct reader r = {table, argv, n, 0, life, ARENA_ARRAY(life, const char *, n + 1), NULL, &got};
	size_t letters = 0; // a word of letters sets several options
	for (size_t i = 0; i < n; i++) letters += strlen(argv[i]);
	r.set = ARENA_ARRAY(life, struct args_set, letters + 1);
	bool options = true;
	while (r.at < n) {
		const char *word = argv[r.at++];
		if (options && !strcmp(word, "--")) options = false;
		else if (options && word[0] == '-' && word[1] == '-') {
			if (!take_long(&r, word, e)) return false;
		} else if (options && word[0] == '-' && word[1]) {
			if (!take_letters(&r, word, e)) return false;
		} else {
			r.words[got.word_count++] = word;
		}
	}
	got.words = r.words;
	got.set = r.set;
	*out = got;
	return true;
}
