#include "exec/traceview.h"

#define FUSE_USE_VERSION 34
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/reads.h"
#include "os/file.h"

enum {
	ROOT = FUSE_ROOT_ID,
	FOLDER_BYTES = 4096, // what every folder says of its size
	READ_AHEAD = 1 << 20,
	LINK_MAX = 4096,
	NO_FD = -1
};
static const double FOR_EVER_S = 1e8; // how long an answer holds: the tree does not change

struct node { // a name in a folder, there or not
	uint64_t parent;
	struct str name;
	unsigned what;     // of enum reads_what
	struct str *names; // of a folder that was listed, sorted, each with its kind behind it
	size_t name_count;
};

struct view {
	int tree;
	struct arena life;
	struct node *nodes; // [0] none, [ROOT] the tree itself
	size_t count, cap;
	uint32_t *table; // of node numbers by parent and name; its size is a power of two
	size_t table_size;
	bool full; // more was asked than is remembered
	struct buf path, bytes;
	uint64_t open_node; // the file that was read last
	int open_fd;
};

// ---------------------------------------------------------------- nodes

static size_t slot_of(const struct view *v, uint64_t parent, struct str name) {
	uint64_t h = (parent + 1) * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * UINT64_C(1099511628211);
	h ^= h >> 29;
	size_t at = (size_t)h & (v->table_size - 1);
	while (v->table[at] &&
	       (v->nodes[v->table[at]].parent != parent || !str_eq(v->nodes[v->table[at]].name, name)))
		at = (at + 1) & (v->table_size - 1);
	return at;
}

static void grow(struct view *v) {
	if (v->count + 1 >= v->cap) {
		v->cap = v->cap ? v->cap * 2 : 1024;
		struct node *nodes = realloc(v->nodes, v->cap * sizeof *nodes);
		if (!nodes) abort();
		v->nodes = nodes;
	}
	if (v->count * 2 < v->table_size) return;
	free(v->table);
	v->table_size = v->table_size ? v->table_size * 2 : 4096;
	v->table = calloc(v->table_size, sizeof *v->table);
	if (!v->table) abort();
	for (size_t i = ROOT + 1; i < v->count; i++)
		v->table[slot_of(v, v->nodes[i].parent, v->nodes[i].name)] = (uint32_t)i;
}

static uint64_t node_of(struct view *v, uint64_t parent, struct str name) {
	grow(v);
	size_t slot = slot_of(v, parent, name);
	if (v->table[slot]) return v->table[slot];
	uint64_t id = v->count++;
	v->nodes[id] = (struct node){.parent = parent, .name = arena_str(&v->life, name)};
	v->table[slot] = (uint32_t)id;
	return id;
}

// From the tree's root, without a slash in front; "." for the root. Borrowed until the next call.
static const char *path_of(struct view *v, uint64_t id) {
	uint64_t chain[1024];
	size_t depth = 0;
	buf_reset(&v->path);
	for (; id != ROOT && depth < ARRAY_LEN(chain); id = v->nodes[id].parent) chain[depth++] = id;
	if (!depth) buf_char(&v->path, '.');
	while (depth) {
		buf_str(&v->path, v->nodes[chain[--depth]].name);
		if (depth) buf_char(&v->path, '/');
	}
	return v->path.p;
}

static const char *path_below(struct view *v, uint64_t parent, const char *name) {
	(void)path_of(v, parent);
	if (parent == ROOT) buf_reset(&v->path);
	else buf_char(&v->path, '/');
	buf_cstr(&v->path, name);
	return v->path.p;
}

// The same on every machine: a hash of the path.
static uint64_t inode_of(const char *path) {
	uint64_t h = UINT64_C(14695981039346656037);
	for (; *path; path++) h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
	return (h >> 1) | 2;
}

static int look(struct view *v, const char *path, struct stat *st) {
	if (fstatat(v->tree, path, st, AT_SYMLINK_NOFOLLOW)) return errno;
	st->st_ino = inode_of(path);
	st->st_atim = st->st_ctim = st->st_mtim;
	st->st_nlink = 1;
	if (S_ISDIR(st->st_mode)) st->st_size = FOLDER_BYTES;
	st->st_blocks = (st->st_size + 511) / 512;
	return 0;
}

// ---------------------------------------------------------------- the kernel's questions

static struct view *view_of(fuse_req_t q) {
	return fuse_req_userdata(q);
}

static void init(void *context, struct fuse_conn_info *c) {
	(void)context;
	c->want |= c->capable & (FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_PARALLEL_DIROPS);
	c->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
	                       FUSE_CAP_AUTO_INVAL_DATA);
	c->max_readahead = READ_AHEAD;
}

static void on_lookup(fuse_req_t q, fuse_ino_t parent, const char *name) {
	struct view *v = view_of(q);
	struct fuse_entry_param entry = {.attr_timeout = FOR_EVER_S, .entry_timeout = FOR_EVER_S};
	int error = look(v, path_below(v, parent, name), &entry.attr);
	if (error && error != ENOENT) {
		fuse_reply_err(q, error);
		return;
	}
	// A job that makes names up must not fill our memory: it is no longer believed.
	v->full |= error && v->count >= READS_MAX;
	if (!v->full || !error) {
		uint64_t id = node_of(v, parent, str_of(name));
		v->nodes[id].what |= error ? READS_ABSENT : READS_SEEN;
		entry.ino = error ? 0 : id;
	}
	fuse_reply_entry(q, &entry);
}

static void on_getattr(fuse_req_t q, fuse_ino_t id, struct fuse_file_info *info) {
	struct view *v = view_of(q);
	struct stat st;
	(void)info;
	int error = look(v, path_of(v, id), &st);
	if (error) fuse_reply_err(q, error);
	else fuse_reply_attr(q, &st, FOR_EVER_S);
}

static void on_readlink(fuse_req_t q, fuse_ino_t id) {
	struct view *v = view_of(q);
	char target[LINK_MAX + 1];
	ssize_t n = readlinkat(v->tree, path_of(v, id), target, LINK_MAX);
	if (n < 0) {
		fuse_reply_err(q, errno);
		return;
	}
	target[n] = 0;
	v->nodes[id].what |= READS_BYTES;
	fuse_reply_readlink(q, target);
}

// The kernel need not tell of each open: whoever reads asks for the bytes, once.
static void on_open(fuse_req_t q, fuse_ino_t id, struct fuse_file_info *info) {
	(void)id;
	(void)info;
	fuse_reply_err(q, ENOSYS);
}

static bool open_file(struct view *v, uint64_t id) {
	if (v->open_node == id && v->open_fd >= 0) return true;
	file_close(&v->open_fd);
	v->open_node = id;
	v->open_fd = openat(v->tree, path_of(v, id), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return v->open_fd >= 0;
}

static void on_read(fuse_req_t q, fuse_ino_t id, size_t size, off_t at,
                    struct fuse_file_info *info) {
	struct view *v = view_of(q);
	(void)info;
	v->nodes[id].what |= READS_BYTES;
	buf_reset(&v->bytes);
	char *room = buf_grow(&v->bytes, size);
	ssize_t n = open_file(v, id) ? pread(v->open_fd, room, size, at) : -1;
	if (n < 0) fuse_reply_err(q, errno);
	else fuse_reply_buf(q, room, (size_t)n);
}

static bool list_folder(struct view *v, uint64_t id) {
	struct str *names;
	size_t count;
	char folder[64];
	AUTO_FD fd = openat(v->tree, path_of(v, id), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	snprintf(folder, sizeof folder, "/proc/self/fd/%d", fd);
	if (fd < 0 || !file_list(folder, &v->life, &names, &count, NULL)) return false;
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		if (fstatat(fd, names[i].p, &st, AT_SYMLINK_NOFOLLOW)) return false;
		names[i] = arena_printf(&v->life, STR_FMT "%c%c", STR_ARG(names[i]), 0,
		                        (int)((st.st_mode & S_IFMT) >> 12));
	}
	v->nodes[id].names = names;
	v->nodes[id].name_count = count;
	v->nodes[id].what |= READS_NAMES;
	return true;
}

// In the order of names, so that a job sees one order on every machine; offsets are numbers of
// entries.
static void on_readdir(fuse_req_t q, fuse_ino_t id, size_t size, off_t at,
                       struct fuse_file_info *info) {
	struct view *v = view_of(q);
	(void)info;
	if (!(v->nodes[id].what & READS_NAMES) && !list_folder(v, id)) {
		fuse_reply_err(q, EIO);
		return;
	}
	const struct node *folder = &v->nodes[id];
	buf_reset(&v->bytes);
	char *room = buf_grow(&v->bytes, size);
	size_t used = 0;
	for (size_t i = (size_t)at; i < folder->name_count + 2; i++) {
		struct stat st = {.st_ino = 1, .st_mode = S_IFDIR};
		const char *name = i == 0 ? "." : "..";
		if (i >= 2) {
			struct str entry = folder->names[i - 2];
			name = entry.p;
			st.st_mode = (mode_t)(unsigned char)entry.p[entry.n - 1] << 12;
			st.st_ino = inode_of(name);
		}
		size_t wants = fuse_add_direntry(q, room + used, size - used, name, &st, (off_t)i + 1);
		if (wants > size - used) break;
		used += wants;
	}
	fuse_reply_buf(q, room, used);
}

static void on_forget(fuse_req_t q, fuse_ino_t id, uint64_t times) {
	(void)id;
	(void)times;
	fuse_reply_none(q);
}

static const struct fuse_lowlevel_ops operations = {
	.init = init,
	.lookup = on_lookup,
	.forget = on_forget,
	.getattr = on_getattr,
	.readlink = on_readlink,
	.open = on_open,
	.read = on_read,
	.opendir = on_open,
	.readdir = on_readdir,
};

// ---------------------------------------------------------------- the server

static bool write_record(struct view *v, int record, struct err *e) {
	AUTO_BUF text = {0};
	struct reads r = {.list = ARENA_ARRAY(&v->life, struct reads_entry, v->count)};
	if (v->full) return err_set(e, ERR_LIMIT, "the job asked for more than %d names", READS_MAX);
	for (size_t i = ROOT; i < v->count; i++)
		if (v->nodes[i].what)
			r.list[r.n++] = (struct reads_entry){.path = arena_str(&v->life, str_of(path_of(v, i))),
			                                     .what = v->nodes[i].what};
	reads_write(&r, &text);
	return file_write_all(record, buf_view(&text), e);
}

// Until `control` can be read. False: the kernel gave the view up.
static bool answer(struct fuse_session *session, int control) {
	struct fuse_buf question = {0};
	bool alive = true;
	struct pollfd fds[2] = {{fuse_session_fd(session), POLLIN, 0}, {control, POLLIN, 0}};
	while (alive && !fds[1].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
		if (!fds[0].revents) continue;
		int n = fuse_session_receive_buf(session, &question);
		if (n > 0) fuse_session_process_buf(session, &question);
		alive = n > 0 || n == -EINTR || n == -EAGAIN || n == -ENOENT;
	}
	free(question.mem);
	return alive;
}

bool traceview_serve(int tree, int device, int control, int record, struct err *e) {
	struct view v = {.tree = tree, .count = ROOT + 1, .open_fd = NO_FD};
	char name[] = "weir", mount[32], *argv[] = {name, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	snprintf(mount, sizeof mount, "/dev/fd/%d", device);
	grow(&v);
	v.nodes[0] = v.nodes[ROOT] = (struct node){0};
	struct fuse_session *s = fuse_session_new(&args, &operations, sizeof operations, &v);
	bool ok = s && fuse_session_mount(s, mount) == 0;
	if (!ok) err_set(e, ERR_IO, "the view of the tree cannot be served");
	if (ok && !answer(s, control)) ok = err_set(e, ERR_IO, "the kernel gave the view up");
	ok = ok && write_record(&v, record, e);
	file_close(&v.open_fd);
	free(v.nodes);
	free(v.table);
	buf_free(&v.path);
	buf_free(&v.bytes);
	arena_free(&v.life);
	return ok; // the session ends with the process
}
