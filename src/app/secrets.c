#include "app/secrets.h"

#include <pthread.h>
#include <sodium.h>
#include <unistd.h>

#include "exec/mask.h"
#include "os/file.h"

bool secrets_name_ok(struct str name) {
	if (name.n == 0 || name.n > 64 || (name.p[0] >= '0' && name.p[0] <= '9')) return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_'))
			return false;
	}
	return true;
}

static bool check_name(struct str name, struct err *e) {
	if (str_starts(name, STR("WEIR_")))
		return err_set(e, ERR_INVALID,
		               "\"" STR_FMT "\" is no name for a secret: weir sets WEIR_ variables itself",
		               STR_ARG(name));
	if (secrets_name_ok(name)) return true;
	return err_set(
		e, ERR_INVALID,
		"\"" STR_FMT
		"\" is no name for a secret: 1 to 64 letters, digits and underscores, no digit first",
		STR_ARG(name));
}

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER; // the key: two at once would make two

// The key, made at the first need.
static bool read_key_alone(const char *data, struct arena *life,
                           unsigned char key[crypto_secretbox_KEYBYTES], struct err *e) {
	struct str path = arena_printf(life, "%s/secret.key", data);
	AUTO_BUF bytes = {0};
	if (sodium_init() < 0) return err_set(e, ERR_IO, "libsodium does not start");
	if (!file_exists(path.p)) {
		crypto_secretbox_keygen(key);
		return file_write_atomic(path.p, (struct str){(const char *)key, crypto_secretbox_KEYBYTES},
		                         0600, e);
	}
	if (!file_read(path.p, crypto_secretbox_KEYBYTES, &bytes, e)) return false;
	if (bytes.n != crypto_secretbox_KEYBYTES)
		return err_set(e, ERR_CORRUPT, "%s is not a key", path.p);
	memcpy(key, bytes.p, crypto_secretbox_KEYBYTES);
	sodium_memzero(bytes.p, bytes.n);
	return true;
}

static bool read_key(const char *data, struct arena *life,
                     unsigned char key[crypto_secretbox_KEYBYTES], struct err *e) {
	pthread_mutex_lock(&making);
	bool ok = read_key_alone(data, life, key, e);
	pthread_mutex_unlock(&making);
	return ok;
}

static struct str path_of(const char *data, struct str repo, struct str name, struct arena *life) {
	return arena_printf(life, "%s/secrets/" STR_FMT "/" STR_FMT, data, STR_ARG(repo),
	                    STR_ARG(name));
}

bool secrets_set(const char *data, struct str repo, struct str name, struct str value,
                 struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF sealed = {0};
	unsigned char key[crypto_secretbox_KEYBYTES];
	if (!check_name(name, e)) return false;
	if (value.n > SECRETS_VALUE_MAX)
		return err_set(e, ERR_LIMIT, "a secret has at most %d bytes", SECRETS_VALUE_MAX);
	if (!mask_check(value, e)) return err_context(e, "secret " STR_FMT, STR_ARG(name));
	if (!read_key(data, &scratch, key, e)) return false;
	unsigned char *nonce = buf_grow(&sealed, crypto_secretbox_NONCEBYTES +
	                                             crypto_secretbox_MACBYTES + value.n);
	randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES, (const unsigned char *)value.p,
	                      value.n, nonce, key);
	sealed.n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + value.n;
	sodium_memzero(key, sizeof key);
	struct str folder = arena_printf(&scratch, "%s/secrets/" STR_FMT, data, STR_ARG(repo));
	return file_make_folders(folder.p, 0700, e) &&
	       file_write_atomic(path_of(data, repo, name, &scratch).p, buf_view(&sealed), 0600, e);
}

bool secrets_get(const char *data, struct str repo, struct str name, struct arena *life,
                 struct str *value, struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF sealed = {0};
	unsigned char key[crypto_secretbox_KEYBYTES];
	if (!check_name(name, e)) return false;
	struct str path = path_of(data, repo, name, &scratch);
	if (!file_exists(path.p))
		return err_set(e, ERR_NOT_FOUND, "secret " STR_FMT " is not set; weir secret set " STR_FMT,
		               STR_ARG(name), STR_ARG(name));
	enum { OVERHEAD = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES };
	if (!file_read(path.p, SECRETS_VALUE_MAX + OVERHEAD, &sealed, e) ||
	    !read_key(data, &scratch, key, e))
		return false;
	const unsigned char *bytes = (const unsigned char *)sealed.p;
	unsigned char *plain = arena_alloc(life, sealed.n + 1);
	bool opened = sealed.n >= OVERHEAD &&
	              crypto_secretbox_open_easy(plain, bytes + crypto_secretbox_NONCEBYTES,
	                                         sealed.n - crypto_secretbox_NONCEBYTES, bytes,
	                                         key) == 0;
	sodium_memzero(key, sizeof key);
	if (!opened)
		return err_set(e, ERR_CORRUPT, "secret " STR_FMT " cannot be opened: set it again",
		               STR_ARG(name));
	*value = (struct str){(const char *)plain, sealed.n - OVERHEAD};
	return true;
}

bool secrets_remove(const char *data, struct str repo, struct str name, struct err *e) {
	AUTO_ARENA scratch = {0};
	if (!check_name(name, e)) return false;
	if (unlink(path_of(data, repo, name, &scratch).p))
		return err_set(e, ERR_NOT_FOUND, "secret " STR_FMT " is not set", STR_ARG(name));
	return true;
}
