#include "store/objectfile.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "os/file.h"

enum { HEADER = 16, LEVEL = 3 };
static const char magic[8] = {'w', 'e', 'i', 'r', 'o', 'b', 'j', '1'};

struct objectfile {
	ZSTD_CCtx *compressor; // made when first needed
	ZSTD_DCtx *decompressor;
	char *plain, *packed; // room for one piece
	size_t packed_room;
};

struct objectfile *objectfile_new(void) {
	struct objectfile *f = calloc(1, sizeof *f);
	if (!f) abort();
	f->packed_room = ZSTD_compressBound(OBJECTFILE_PIECE) + 4;
	f->plain = malloc(OBJECTFILE_PIECE);
	f->packed = malloc(f->packed_room);
	if (!f->plain || !f->packed) abort();
	return f;
}

void objectfile_free(struct objectfile **f) {
	if (!*f) return;
	ZSTD_freeCCtx((*f)->compressor);
	ZSTD_freeDCtx((*f)->decompressor);
	free((*f)->plain);
	free((*f)->packed);
	free(*f);
	*f = NULL;
}

static void put_number(char *to, uint64_t v, int bytes) {
	for (int i = 0; i < bytes; i++) to[i] = (char)(v >> (8 * (bytes - 1 - i)));
}

static uint64_t get_number(const char *from, int bytes) {
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++) v = v << 8 | (unsigned char)from[i];
	return v;
}

// ---------------------------------------------------------------- writing

// The next piece of the source: shorter than OBJECTFILE_PIECE only at the end.
static bool next_piece(struct objectfile *f, struct objectfile_source *source, struct str *piece,
                       struct err *e) {
	if (source->fd < 0) {
		*piece = str_slice(source->text, 0, OBJECTFILE_PIECE);
		source->text = str_from(source->text, piece->n);
		return true;
	}
	size_t n = 0;
	while (n < OBJECTFILE_PIECE) {
		ssize_t got = read(source->fd, f->plain + n, OBJECTFILE_PIECE - n);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return err_set(e, ERR_IO, "cannot read: %s", strerror(errno));
		if (got == 0) break;
		n += (size_t)got;
	}
	*piece = (struct str){f->plain, n};
	return true;
}

static bool write_piece(struct objectfile *f, struct str piece, int out, struct err *e) {
	if (!f->compressor) {
		f->compressor = ZSTD_createCCtx();
		if (!f->compressor) abort();
		(void)ZSTD_CCtx_setParameter(f->compressor, ZSTD_c_compressionLevel, LEVEL);
		(void)ZSTD_CCtx_setParameter(f->compressor, ZSTD_c_checksumFlag, 1);
	}
	size_t n = ZSTD_compress2(f->compressor, f->packed + 4, f->packed_room - 4, piece.p, piece.n);
	if (ZSTD_isError(n)) abort(); // the room is enough, so only memory can be short
	put_number(f->packed, n, 4);
	return file_write_all(out, (struct str){f->packed, n + 4}, e);
}

bool objectfile_write(struct objectfile *f, struct objectfile_source source, uint64_t most, int out,
                      struct digest *name, uint64_t *bytes, struct err *e) {
	char header[HEADER] = {0};
	struct hash hash;
	uint64_t size = 0;
	hash_begin(&hash);
	memcpy(header, magic, sizeof magic);
	if (source.fd < 0) put_number(header + 8, source.text.n, 8);
	if (!file_write_all(out, (struct str){header, HEADER}, e)) return false;
	for (;;) {
		struct str piece = STR_NONE;
		if (!next_piece(f, &source, &piece, e)) return false;
		if (piece.n == 0) break;
		size += piece.n;
		if (size > most)
			return err_set(e, ERR_LIMIT, "more than %llu bytes", (unsigned long long)most);
		hash_add(&hash, piece.p, piece.n);
		if (!write_piece(f, piece, out, e)) return false;
		if (piece.n < OBJECTFILE_PIECE) break;
	}
	put_number(header + 8, size, 8);
	if (source.fd >= 0 && pwrite(out, header, HEADER, 0) != HEADER)
		return err_set(e, file_write_code(errno), "cannot write: %s", strerror(errno));
	*name = hash_end(&hash);
	*bytes = size;
	return true;
}

// ---------------------------------------------------------------- reading

static bool read_at(int fd, char *to, size_t n, uint64_t at, struct err *e) {
	while (n) {
		ssize_t got = pread(fd, to, n, (off_t)at);
		if (got < 0 && errno == EINTR) continue;
		if (got < 0) return err_set(e, ERR_IO, "cannot read: %s", strerror(errno));
		if (got == 0) return err_set(e, ERR_CORRUPT, "the object ends early");
		to += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

static bool read_size(int fd, uint64_t *size, struct err *e) {
	char header[HEADER];
	if (!read_at(fd, header, HEADER, 0, e)) return false;
	if (memcmp(header, magic, sizeof magic) != 0)
		return err_set(e, ERR_CORRUPT, "the object has no header");
	*size = get_number(header + 8, 8);
	return true;
}

// The length of the packed piece at `at`.
static bool read_length(struct objectfile *f, int fd, uint64_t at, size_t *length, struct err *e) {
	char four[4];
	if (!read_at(fd, four, sizeof four, at, e)) return false;
	*length = get_number(four, 4);
	if (*length == 0 || *length > f->packed_room)
		return err_set(e, ERR_CORRUPT, "a piece of the object has an impossible length");
	return true;
}

static bool unpack(struct objectfile *f, int fd, uint64_t at, size_t length, size_t wanted,
                   struct err *e) {
	if (!f->decompressor && !(f->decompressor = ZSTD_createDCtx())) abort();
	if (!read_at(fd, f->packed, length, at, e)) return false;
	size_t n = ZSTD_decompressDCtx(f->decompressor, f->plain, OBJECTFILE_PIECE, f->packed, length);
	if (n == wanted) return true;
	return err_set(e, ERR_CORRUPT, "a piece of the object is damaged");
}

static size_t least(uint64_t a, uint64_t b) {
	return (size_t)(a < b ? a : b);
}

bool objectfile_read(struct objectfile *f, int fd, uint64_t offset, uint64_t most,
                     const struct digest *name, objectfile_sink *sink, void *context,
                     uint64_t *total, struct err *e) {
	uint64_t size = 0, at = HEADER;
	struct hash hash;
	hash_begin(&hash);
	if (!read_size(fd, &size, e)) return false;
	uint64_t end = most > size || offset > size - most ? size : offset + most;
	for (uint64_t start = 0; start < end; start += OBJECTFILE_PIECE) {
		size_t length = 0, n = least(size - start, OBJECTFILE_PIECE);
		if (!read_length(f, fd, at, &length, e)) return false;
		at += 4;
		if (offset < start + n) {
			if (!unpack(f, fd, at, length, n, e)) return false;
			size_t skip = offset > start ? (size_t)(offset - start) : 0;
			struct str bytes = {f->plain + skip, least(n, end - start) - skip};
			if (name) hash_add(&hash, bytes.p, bytes.n);
			if (!sink(context, bytes, e)) return false;
		}
		at += length;
	}
	char more;
	if (end == size && pread(fd, &more, 1, (off_t)at) != 0)
		return err_set(e, ERR_CORRUPT, "something follows the object");
	if (name && !digest_eq(hash_end(&hash), *name))
		return err_set(e, ERR_CORRUPT, "the object's bytes are not those of its name");
	*total = size;
	return true;
}
