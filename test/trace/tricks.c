// Ways to get at the bytes of data/target. `tricks NAME` prints them and exits with 0; built with and
// without -static. What each does is what a tracer that looks at calls, or at one thread, or at names
// only, would miss.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGET "data/target"

extern char **environ;

static void check(int ok, const char *what) {
	if (ok) return;
	perror(what);
	exit(1);
}

static void print_fd(int fd) {
	char text[4096];
	check(fd >= 0, "open");
	ssize_t n = pread(fd, text, sizeof text, 0);
	check(n >= 0 && write(1, text, (size_t)n) == n, "read");
}

static void print_file(const char *path) {
	print_fd(open(path, O_RDONLY));
}

static int wait_for(pid_t pid) {
	int status = 1;
	check(waitpid(pid, &status, 0) == pid, "wait");
	return status ? 1 : 0;
}

static char *const cat[] = {"cat", TARGET, NULL};

static void by_vfork(void) {
	pid_t pid = vfork();
	if (pid == 0) {
		execvp("cat", cat);
		_exit(1);
	}
	check(wait_for(pid) == 0, "cat");
}

static void by_spawn(void) {
	pid_t pid;
	check(posix_spawnp(&pid, "cat", NULL, NULL, cat, environ) == 0, "posix_spawn");
	check(wait_for(pid) == 0, "cat");
}

static void by_clone3(void) {
	struct clone_args args = {.exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	check(pid >= 0 || errno == ENOSYS || errno == EPERM, "clone3");
	if (pid < 0) pid = fork();
	if (pid == 0) {
		print_file(TARGET);
		_exit(0);
	}
	check(wait_for(pid) == 0, "child");
}

// data/program is this program; what it is decides what happens.
static void by_execveat(void) {
	char *const argv[] = {"program", "plain", NULL};
	int fd = open("data/program", O_PATH | O_CLOEXEC);
	check(fd >= 0, "open");
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	check(0, "execveat");
}

static void by_openat2(void) {
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	int folder = open("data", O_PATH | O_DIRECTORY);
	print_fd((int)syscall(SYS_openat2, folder, "target", &how, sizeof how));
}

static void by_folder(void) {
	int top = open(".", O_RDONLY | O_DIRECTORY);
	check(chdir("data") == 0 && fchdir(top) == 0 && chdir("data/../data") == 0, "chdir");
	print_file("target");
}

static void by_rename(void) {
	check(rename(TARGET, "moved") == 0, "rename");
	print_file("moved");
}

static void by_hard_link(void) {
	check(link(TARGET, "another") == 0, "link");
	print_file("another");
}

static void by_links(void) {
	char here[4096], absolute[4200];
	check(getcwd(here, sizeof here) != NULL, "getcwd");
	snprintf(absolute, sizeof absolute, "%s/one/target", here);
	check(symlink("data", "one") == 0 && symlink("../one", "/tmp/two") == 0 &&
	          symlink(absolute, "/tmp/three") == 0 && symlink("/tmp/three", "four") == 0,
	      "symlink");
	print_file("four");
}

static void by_proc(void) {
	print_file("/proc/self/cwd/data/target");
}

static void by_path_descriptor(void) {
	char name[64];
	int fd = open(TARGET, O_PATH);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	print_file(name);
}

static void by_mapping(void) {
	struct stat st;
	int fd = open(TARGET, O_RDONLY);
	check(fd >= 0 && fstat(fd, &st) == 0, "open");
	char *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	check(bytes != MAP_FAILED && write(1, bytes, (size_t)st.st_size) == st.st_size, "mmap");
}

static void by_sendfile(void) {
	int ends[2], fd = open(TARGET, O_RDONLY);
	char text[4096];
	check(fd >= 0 && pipe(ends) == 0, "open");
	ssize_t n = sendfile(ends[1], fd, NULL, sizeof text);
	check(n > 0 && read(ends[0], text, sizeof text) == n && write(1, text, (size_t)n) == n, "sendfile");
}

static void by_copy(void) {
	int from = open(TARGET, O_RDONLY), to = open("copy", O_RDWR | O_CREAT, 0644);
	check(from >= 0 && to >= 0, "open");
	if (copy_file_range(from, NULL, to, NULL, 4096, 0) > 0) print_file("copy");
	else print_fd(errno == EXDEV ? from : -1); // as cp does between file systems
}

static void by_vector(void) {
	char text[4096];
	struct iovec v = {text, sizeof text};
	int fd = open(TARGET, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : preadv2(fd, &v, 1, 0, 0);
	check(n > 0 && write(1, text, (size_t)n) == n, "preadv2");
}

static void by_socket(void) {
	int pair[2], fd = open(TARGET, O_RDONLY), got;
	char room[CMSG_SPACE(sizeof fd)] = {0}, byte = 'x';
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	check(fd >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	*c = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	check(sendmsg(pair[0], &m, 0) == 1, "send");
	close(fd);
	check(recvmsg(pair[1], &m, 0) == 1, "receive");
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got);
	print_fd(got);
}

// A thread changes the name while the other opens it.
static char name[] = "data/decoy!";
static volatile int over;

static void *turn(void *unused) {
	for (unsigned i = 0; !over; i++) memcpy(name, i & 1 ? TARGET : "data/decoy!", sizeof name);
	return unused;
}

static void by_race(void) {
	pthread_t thread;
	char text[64];
	check(pthread_create(&thread, NULL, turn, NULL) == 0, "thread");
	for (;;) {
		int fd = open(name, O_RDONLY);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
		if (fd >= 0) close(fd);
		if (n <= 0 || text[0] != '=') continue;
		over = 1;
		pthread_join(thread, NULL);
		check(write(1, text, (size_t)n) == n, "write");
		return;
	}
}

static void by_daemon(void) {
	int ends[2];
	char text[4096];
	check(pipe(ends) == 0, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() > 0) _exit(0);
		close(ends[0]);
		dup2(ends[1], 1);
		print_file(TARGET);
		_exit(0);
	}
	close(ends[1]);
	check(wait_for(pid) == 0, "fork");
	ssize_t n = read(ends[0], text, sizeof text);
	check(n > 0 && write(1, text, (size_t)n) == n, "daemon");
}

// After it was written to: what it was before is in what it is now.
static void by_append(void) {
	int fd = open(TARGET, O_RDWR | O_APPEND);
	check(fd >= 0 && write(fd, "more\n", 5) == 5, "append");
	print_fd(fd);
}

static void by_plain(void) {
	print_file(TARGET);
}

static const struct {
	const char *name;
	void (*trick)(void);
} tricks[] = {{"plain", by_plain},       {"vfork", by_vfork},         {"spawn", by_spawn},
              {"clone3", by_clone3},     {"execveat", by_execveat},   {"openat2", by_openat2},
              {"folder", by_folder},     {"rename", by_rename},       {"hardlink", by_hard_link},
              {"links", by_links},       {"proc", by_proc},           {"opath", by_path_descriptor},
              {"mapping", by_mapping},   {"sendfile", by_sendfile},   {"copy", by_copy},
              {"vector", by_vector},     {"socket", by_socket},       {"race", by_race},
              {"daemon", by_daemon},     {"append", by_append}};

int main(int argc, char **argv) {
	for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
		if (argc == 1) puts(tricks[i].name);
		else if (strcmp(argv[1], tricks[i].name) == 0) {
			tricks[i].trick();
			return 0;
		}
	}
	return argc == 1 ? 0 : 2;
}
