// weir-hook: the hooks of a repository that weir owns, one static program without a library, named
// by argv[0].
//
//   proc-receive           ends every push: hands its commands and options to the daemon at
//   DATA/receive.sock (the
//                          repository is DATA/repos/NAME.git), prints what the daemon has to say,
//                          reports what the daemon decided (githooks(5), "proc-receive"). Without a
//                          daemon every ref is refused.
//   reference-transaction  the tripwire: refuses any move of a branch that is not the one in
//   REPO.landing.
//
// The request is one line of JSON, the answer are packets; both are described in git/receive.h.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "git/pkt.h"

enum { ANSWER_WITHIN_S = 300, COMMANDS_MAX = 1000, OPTIONS_MAX = 100, REF_BYTES_MAX = 500 };

struct stream {
	int fd;
	size_t n, taken;
	char bytes[2 * (GIT_PKT_HEAD + GIT_PKT_BODY_MAX)];
};
static struct stream from_git = {.fd = 0}, from_weir;

struct command {
	char old[65], new[65], ref[REF_BYTES_MAX + 1];
};
static struct command commands[COMMANDS_MAX];
static size_t command_count;
static char *options[OPTIONS_MAX];
static size_t option_count;

PRINTF_LIKE(1, 2) _Noreturn static void die(const char *format, ...) {
	va_list args;
	va_start(args, format);
	fputs("weir: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void write_all(int fd, const char *p, size_t n) {
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR) continue;
		if (w < 0) die("cannot write: %s", strerror(errno));
		p += w;
		n -= (size_t)w;
	}
}

// False at the end of the stream, also in the middle of a packet.
static bool read_packet(struct stream *s, enum git_pkt *kind, const char **body, size_t *n) {
	for (;;) {
		size_t used = 0;
		*kind = git_pkt_parse(s->bytes + s->taken, s->n - s->taken, body, n, &used);
		if (*kind == GIT_PKT_BAD) return false;
		if (*kind != GIT_PKT_MORE) {
			s->taken += used;
			return true;
		}
		memmove(s->bytes, s->bytes + s->taken, s->n - s->taken);
		s->n -= s->taken;
		s->taken = 0;
		ssize_t got = read(s->fd, s->bytes + s->n, sizeof s->bytes - s->n);
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) return false;
		s->n += (size_t)got;
	}
}

static void send_packet(const char *body, size_t n) {
	char head[GIT_PKT_HEAD + 1];
	git_pkt_head(n, head);
	write_all(1, head, GIT_PKT_HEAD);
	write_all(1, body, n);
}

PRINTF_LIKE(1, 2) static void send_text(const char *format, ...) {
	char text[2048];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0) return;
	send_packet(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

// ---------------------------------------------------------------- what git says

static void take_command(const char *body, size_t n) {
	if (n && body[n - 1] == '\n') n--;
	const char *first = memchr(body, ' ', n);
	const char *second = first ? memchr(first + 1, ' ', n - (size_t)(first + 1 - body)) : NULL;
	if (!second) die("git sends a command that is not understood");
	size_t old_n = (size_t)(first - body), new_n = (size_t)(second - first - 1);
	size_t ref_n = n - old_n - new_n - 2;
	if (command_count == COMMANDS_MAX) die("a push of more than %d refs", COMMANDS_MAX);
	if (old_n > 64 || new_n > 64 || ref_n > REF_BYTES_MAX || memchr(second, 0, ref_n))
		die("a name of more than %d bytes", REF_BYTES_MAX);
	struct command *c = &commands[command_count++];
	memcpy(c->old, body, old_n);
	memcpy(c->new, first + 1, new_n);
	memcpy(c->ref, second + 1, ref_n);
}

static void take_push(void) {
	enum git_pkt kind;
	const char *body;
	size_t n;
	bool with_options = false;
	if (!read_packet(&from_git, &kind, &body, &n) || kind != GIT_PKT_DATA || n < 9 ||
	    memcmp(body, "version=1", 9) != 0)
		die("this git speaks another version of proc-receive");
	with_options = memmem(body, n, "push-options", strlen("push-options")) != NULL;
	while (read_packet(&from_git, &kind, &body, &n) && kind == GIT_PKT_DATA) continue;
	static const char version[] = "version=1\0push-options";
	send_packet(version, with_options ? sizeof version - 1 : strlen(version));
	write_all(1, "0000", 4);
	bool ok;
	while ((ok = read_packet(&from_git, &kind, &body, &n)) && kind == GIT_PKT_DATA)
		take_command(body, n);
	if (ok && with_options) {
		while ((ok = read_packet(&from_git, &kind, &body, &n)) && kind == GIT_PKT_DATA) {
			if (option_count == OPTIONS_MAX) die("more than %d push options", OPTIONS_MAX);
			options[option_count++] = strndup(body, n);
		}
	}
	if (!ok || kind != GIT_PKT_FLUSH) die("git ended in the middle of a push");
}

// ---------------------------------------------------------------- what weir is told

// Length of the UTF-8 character at s, 0 when it is none (RFC 3629).
static size_t utf8_length(const unsigned char *s) {
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	for (size_t i = 0; i < 4; i++) {
		if ((s[0] & forms[i].mask) != forms[i].lead) continue;
		uint32_t c = s[0] & (unsigned char)~forms[i].mask;
		for (size_t k = 1; k <= i; k++) {
			if ((s[k] & 0xc0) != 0x80) return 0;
			c = c << 6 | (s[k] & 0x3f);
		}
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		return c < forms[i].least || surrogate || c > 0x10ffff ? 0 : i + 1;
	}
	return 0;
}

static void print_json(FILE *f, const char *z) {
	fputc('"', f);
	for (const unsigned char *s = (const unsigned char *)z; *s;) {
		size_t n = utf8_length(s);
		if (n == 0) fputs("\\ufffd", f);
		else if (*s < ' ' || *s == 0x7f) fprintf(f, "\\u%04x", *s);
		else if (*s == '"' || *s == '\\') fprintf(f, "\\%c", *s);
		else fwrite(s, 1, n, f);
		s += n ? n : 1;
	}
	fputc('"', f);
}

static void print_request(FILE *f, const char *repo) {
	const char *via = getenv("WEIR_VIA"), *pusher = getenv("WEIR_PUSHER");
	fprintf(f, "{\"version\":1,\"uid\":%ld,\"repo\":", (long)getuid());
	print_json(f, repo);
	fputs(",\"via\":", f);
	print_json(f, via ? via : "path");
	fputs(",\"pusher\":", f);
	print_json(f, pusher ? pusher : "");
	fprintf(f, ",\"pipeline\":%s", getenv("WEIR_PIPELINE") ? "true" : "false");
	fputs(",\"options\":[", f);
	for (size_t i = 0; i < option_count; i++) {
		if (i) fputc(',', f);
		print_json(f, options[i]);
	}
	fputs("],\"commands\":[", f);
	for (size_t i = 0; i < command_count; i++) {
		fputs(i ? ",{\"ref\":" : "{\"ref\":", f);
		print_json(f, commands[i].ref);
		fputs(",\"old\":", f);
		print_json(f, commands[i].old);
		fputs(",\"new\":", f);
		print_json(f, commands[i].new);
		fputc('}', f);
	}
	fputs("]}\n", f);
}

// The daemon's socket, reached through its folder: the path may be longer than a socket's name can
// be.
static int connect_weir(void) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = ANSWER_WITHIN_S};
	int folder = open("../..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (folder < 0 || fd < 0) die("cannot look for weir: %s", strerror(errno));
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/receive.sock", folder);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address)) {
		int why = errno;
		close(fd);
		fd = -1;
		if (why == EACCES || why == EPERM)
			fputs("weir: you may not push by path here; push by its URL\n", stderr);
		else
			fputs("weir: not running; nothing was accepted; start it (weir serve), push again\n",
			      stderr);
	} else {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	}
	close(folder);
	return fd;
}

static void refuse_from(size_t i, const char *why) {
	for (; i < command_count; i++) send_text("ng %s %s\n", commands[i].ref, why);
	write_all(1, "0000", 4);
}

// "ok", or "ok REFNAME NEW-OID"; "ng REASON".
static void report(const struct command *c, const char *body, size_t n) {
	char text[1500], ref[REF_BYTES_MAX + 1], oid[65];
	snprintf(text, sizeof text, "%.*s", (int)(n > 1400 ? 1400 : n), body);
	if (strncmp(text, "ng ", 3) == 0) {
		send_text("ng %s %s\n", c->ref, text + 3);
		return;
	}
	send_text("ok %s\n", c->ref);
	if (sscanf(text, "ok %500s %64s", ref, oid) != 2) return;
	send_text("option refname %s\n", ref);
	send_text("option new-oid %s\n", oid);
}

static void take_answer(int fd) {
	enum git_pkt kind;
	const char *body;
	size_t n, reported = 0;
	from_weir.fd = fd;
	while (read_packet(&from_weir, &kind, &body, &n)) {
		if (kind == GIT_PKT_FLUSH && reported == command_count) {
			write_all(1, "0000", 4);
			return;
		}
		if (kind != GIT_PKT_DATA) break;
		if (n >= 2 && memcmp(body, "m ", 2) == 0) fprintf(stderr, "%.*s\n", (int)n - 2, body + 2);
		else if (reported < command_count) report(&commands[reported++], body, n);
	}
	fputs("weir: stopped before it answered; push again, what was accepted stays the same change\n",
	      stderr);
	refuse_from(reported, "weir stopped before it answered");
}

static int proc_receive(void) {
	char here[4096], *text = NULL;
	size_t n = 0;
	take_push();
	if (!getcwd(here, sizeof here)) die("cannot find the repository: %s", strerror(errno));
	int fd = connect_weir();
	if (fd < 0) {
		refuse_from(0, "weir is not running");
		return 0;
	}
	const char *name = strrchr(here, '/');
	FILE *f = open_memstream(&text, &n);
	if (!f) die("out of memory");
	print_request(f, name ? name + 1 : here);
	if (fclose(f)) die("out of memory");
	// A daemon that ends now answers nothing: take_answer says so.
	for (size_t sent = 0; sent < n;) {
		ssize_t w = send(fd, text + sent, n - sent, MSG_NOSIGNAL);
		if (w < 0 && errno == EINTR) continue;
		if (w < 0) break;
		sent += (size_t)w;
	}
	take_answer(fd);
	free(text);
	return 0;
}

// ---------------------------------------------------------------- the tripwire

static bool intended(const char *move, size_t n) {
	char path[4096 + 16], text[1024];
	if (!getcwd(path, 4096)) return false;
	size_t length = strlen(path);
	if (length > 4 && strcmp(path + length - 4, ".git") == 0) length -= 4;
	memcpy(path + length, ".landing", sizeof ".landing");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return false;
	ssize_t got = read(fd, text, sizeof text);
	close(fd);
	return got == (ssize_t)n && memcmp(text, move, n) == 0;
}

static int reference_transaction(const char *state) {
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	if (!state || strcmp(state, "prepared") != 0) return 0;
	while ((n = getline(&line, &cap, stdin)) > 0) {
		const char *ref = strrchr(line, ' ');
		if (!ref || strncmp(ref + 1, "refs/heads/", strlen("refs/heads/")) != 0) continue;
		if (intended(line, (size_t)n)) continue;
		fprintf(stderr,
		        "weir: only weir moves %.*s; propose a change: git push weir HEAD:refs/for/%.*s\n",
		        (int)strcspn(ref + 1, "\n"), ref + 1,
		        (int)strcspn(ref + 1 + strlen("refs/heads/"), "\n"),
		        ref + 1 + strlen("refs/heads/"));
		free(line);
		return 1;
	}
	free(line);
	return 0;
}

int main(int argc, char **argv) {
	const char *name = strrchr(argv[0], '/');
	const char *git_dir = getenv("GIT_DIR");
	name = name ? name + 1 : argv[0];
	if (git_dir && chdir(git_dir)) die("cannot enter %s: %s", git_dir, strerror(errno));
	if (strcmp(name, "proc-receive") == 0) return proc_receive();
	if (strcmp(name, "reference-transaction") == 0)
		return reference_transaction(argc > 1 ? argv[1] : NULL);
	fprintf(stderr, "weir-hook is called by git, as proc-receive or reference-transaction\n");
	return 2;
}
