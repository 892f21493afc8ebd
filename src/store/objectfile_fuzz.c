// Any bytes as an object's file: read whole and in part, never more than its header says, and taken
// for an object only when the digest is right. The first byte chooses a range.
#include "store/objectfile.h"

#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool collect(void *context, struct str bytes, struct err *e) {
	buf_str(context, bytes);
	return ((struct buf *)context)->n <= 64 << 20 || err_set(e, ERR_LIMIT, "enough");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 1) return 0;
	AUTO_BUF whole = {0};
	AUTO_BUF part = {0};
	struct err e;
	uint64_t total = 0, offset = data[0], most = data[0] / 2;
	AUTO_FD fd = memfd_create("object", MFD_CLOEXEC);
	assert(fd >= 0);
	bool written = file_write_all(fd, (struct str){(const char *)data + 1, size - 1}, &e);
	assert(written);
	struct objectfile *f = objectfile_new();
	struct digest other = {{0}};
	bool taken = objectfile_read(f, fd, 0, UINT64_MAX, &other, collect, &whole, &total, &e);
	assert(!taken); // nobody finds the bytes whose digest is zero
	buf_reset(&whole);
	bool right = objectfile_read(f, fd, 0, UINT64_MAX, NULL, collect, &whole, &total, &e);
	assert(!right || total == whole.n);
	bool some = objectfile_read(f, fd, offset, most, NULL, collect, &part, &total, &e);
	assert(part.n <= most && (!right || some));
	if (right)
		assert(str_eq(buf_view(&part), str_slice(str_from(buf_view(&whole), offset), 0, most)));
	objectfile_free(&f);
	return 0;
}
