#include "base/clocktext.h"

enum { MS_SECOND = 1000, MS_MINUTE = 60 * 1000, MS_HOUR = 3600 * 1000, MS_DAY = 86400 * 1000 };

static const int64_t FIRST_MS = -62167219200000, LAST_MS = 253402300799999; // the years 0 to 9999

// Days <-> civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
static int64_t days_of_civil(int64_t y, int64_t m, int64_t d) {
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
	       719468;
}

static void civil_of_days(int64_t days, int64_t *y, int64_t *m, int64_t *d) {
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t doe = days - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = yoe + era * 400 + (*m <= 2);
}

void clocktext_rfc3339(struct buf *out, int64_t ms) {
	int64_t day = ms / MS_DAY, rest = ms % MS_DAY, y, m, d;
	if (rest < 0) {
		rest += MS_DAY;
		day--;
	}
	civil_of_days(day, &y, &m, &d);
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, (int)m, (int)d,
	           (int)(rest / MS_HOUR), (int)(rest / MS_MINUTE % 60), (int)(rest / MS_SECOND % 60),
	           (int)(rest % 1000));
}

static bool take_digits(struct str *s, size_t n, int64_t *out) {
	uint64_t number;
	if (s->n < n || !str_to_u64((struct str){s->p, n}, &number)) return false;
	*out = (int64_t)number;
	*s = str_from(*s, n);
	return true;
}

static bool take_char(struct str *s, char c) {
	if (s->n == 0 || s->p[0] != c) return false;
	*s = str_from(*s, 1);
	return true;
}

static bool take_offset(struct str *s, int64_t *ms) {
	int64_t h, m;
	*ms = 0;
	if (take_char(s, 'Z') || take_char(s, 'z')) return s->n == 0;
	bool minus = s->n && s->p[0] == '-';
	if (!minus && !(s->n && s->p[0] == '+')) return false;
	*s = str_from(*s, 1);
	if (!take_digits(s, 2, &h) || !take_char(s, ':') || !take_digits(s, 2, &m) || h > 23 || m > 59)
		return false;
	*ms = (h * MS_HOUR + m * MS_MINUTE) * (minus ? -1 : 1);
	return s->n == 0;
}

static int64_t month_days(int64_t y, int64_t m) {
	return days_of_civil(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1) - days_of_civil(y, m, 1);
}

bool clocktext_parse(struct str s, int64_t *ms) {
	int64_t y, mo, d, h, mi, sec, offset, fraction = 0, scale = 100;
	if (!take_digits(&s, 4, &y) || !take_char(&s, '-') || !take_digits(&s, 2, &mo) ||
	    !take_char(&s, '-') || !take_digits(&s, 2, &d))
		return false;
	if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' ')) return false;
	if (!take_digits(&s, 2, &h) || !take_char(&s, ':') || !take_digits(&s, 2, &mi) ||
	    !take_char(&s, ':') || !take_digits(&s, 2, &sec))
		return false;
	if (take_char(&s, '.')) {
		int64_t digit;
		if (!s.n || s.p[0] < '0' || s.p[0] > '9') return false;
		for (; s.n && s.p[0] >= '0' && s.p[0] <= '9' && take_digits(&s, 1, &digit); scale /= 10)
			fraction += digit * scale;
	}
	if (mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 || mi > 59 || sec > 60)
		return false;
	if (!take_offset(&s, &offset)) return false;
	int64_t at = days_of_civil(y, mo, d) * MS_DAY + h * MS_HOUR + mi * MS_MINUTE + sec * MS_SECOND +
	             fraction - offset;
	if (at < FIRST_MS || at > LAST_MS)
		return false; // an offset, or a leap second, led out of 0..9999
	*ms = at;
	return true;
}

static bool take_unit(struct str *s, int64_t *unit) {
	static const struct {
		struct str name;
		int64_t ms;
	} units[] = {{{"ms", 2}, 1},
	             {{"s", 1}, MS_SECOND},
	             {{"m", 1}, MS_MINUTE},
	             {{"h", 1}, MS_HOUR},
	             {{"d", 1}, MS_DAY}};
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (!str_starts(*s, units[i].name)) continue;
		*s = str_from(*s, units[i].name.n);
		*unit = units[i].ms;
		return true;
	}
	return false;
}

bool clocktext_duration(struct str text, int64_t *ms) {
	int64_t total = 0, most = (int64_t)MS_DAY * 3650;
	if (text.n == 0) return false;
	while (text.n) {
		size_t digits = 0;
		int64_t number, unit, part;
		while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9') digits++;
		if (!str_to_i64((struct str){text.p, digits}, &number)) return false;
		text = str_from(text, digits);
		if (!take_unit(&text, &unit) || __builtin_mul_overflow(number, unit, &part) ||
		    __builtin_add_overflow(total, part, &total) || total > most)
			return false;
	}
	if (total <= 0) return false;
	*ms = total;
	return true;
}

void clocktext_duration_text(struct buf *out, int64_t ms) {
	int64_t s = ms / 1000 + (ms % 1000 >= 500);
	if (ms < 1000) buf_printf(out, "%d ms", (int)(ms < 0 ? 0 : ms));
	else if (ms < INT64_C(10) * MS_SECOND)
		buf_printf(out, "%d.%d s", (int)(ms / 1000), (int)(ms % 1000 / 100));
	else if (s < 60) buf_printf(out, "%d s", (int)s);
	else if (s < 3600) buf_printf(out, "%d min %02d s", (int)(s / 60), (int)(s % 60));
	else if (s < 86400) buf_printf(out, "%d h %02d min", (int)(s / 3600), (int)(s % 3600 / 60));
	else buf_printf(out, "%lld d %d h", (long long)(s / 86400), (int)(s % 86400 / 3600));
}
