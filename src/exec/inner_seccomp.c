#include "exec/inner_seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "weir-inner knows x86-64 and aarch64"
#endif

// The same numbers on every architecture that is younger than they are (asm-generic/unistd.h).
enum {
	OPEN_TREE = 428,
	MOVE_MOUNT = 429,
	FSOPEN = 430,
	FSCONFIG = 431,
	FSMOUNT = 432,
	FSPICK = 433,
	CLONE3 = 435,
	PIDFD_GETFD = 438,
	MOUNT_SETATTR = 442,
	QUOTACTL_FD = 443,
	OPEN_TREE_ATTR = 467,
	IO_URING_SETUP = 425,
	IO_URING_ENTER = 426,
	IO_URING_REGISTER = 427,
};

static const uint32_t refused[] = {
	// other processes' memory and descriptors
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	PIDFD_GETFD,
	// key rings are shared by all jobs of one uid
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	// large kernel interfaces with a history
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	// mounts and namespaces
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	OPEN_TREE,
	MOVE_MOUNT,
	FSOPEN,
	FSCONFIG,
	FSMOUNT,
	FSPICK,
	MOUNT_SETATTR,
	OPEN_TREE_ATTR,
	SYS_open_by_handle_at,
	// the machine itself
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_syslog,
	SYS_acct,
	SYS_quotactl,
	QUOTACTL_FD,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_vhangup,
#if defined(__x86_64__)
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
	SYS_uselib,
	SYS_ustat,
	SYS_sysfs,
	SYS_create_module,
#endif
};
static const uint32_t missing[] = {CLONE3, IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER};

enum {
	CLONE_NEW_IN_CLONE = 0x7e020000, // all CLONE_NEW* (time is only for unshare and clone3)
	IOCTL_TIOCSTI = 0x5412,
	IOCTL_TIOCLINUX = 0x541c,
	FAMILY_ALG = 38,
	FAMILY_VSOCK = 40,
	PROGRAM_MAX = 160,
};

#define LOAD(field) \
	(struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define GIVE(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (action))
#define SKIP_UNLESS(value, count) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define SKIP_UNLESS_ANY(bits, count) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (count))
#define NUMBER(error) (SECCOMP_RET_ERRNO | (error))

struct program {
	struct sock_filter p[PROGRAM_MAX];
	unsigned short n;
};

static void put(struct program *f, struct sock_filter one) {
	if (f->n < PROGRAM_MAX) f->p[f->n] = one;
	f->n++;
}

// The low halves of arguments are enough: these are ints and flags of 32 bits. Little endian only.
static void put_argument_rules(struct program *f) {
	put(f, SKIP_UNLESS(SYS_clone, 4));
	put(f, LOAD(args[0]));
	put(f, SKIP_UNLESS_ANY(CLONE_NEW_IN_CLONE, 1));
	put(f, GIVE(NUMBER(EPERM)));
	put(f, GIVE(SECCOMP_RET_ALLOW));
	put(f, SKIP_UNLESS(SYS_ioctl, 5));
	put(f, LOAD(args[1]));
	put(f, SKIP_UNLESS(IOCTL_TIOCSTI, 1));
	put(f, GIVE(NUMBER(EPERM)));
	put(f, SKIP_UNLESS(IOCTL_TIOCLINUX, 1));
	put(f, GIVE(NUMBER(EPERM)));
	put(f, LOAD(nr));
	put(f, SKIP_UNLESS(SYS_socket, 5));
	put(f, LOAD(args[0]));
	put(f, SKIP_UNLESS(FAMILY_VSOCK, 1));
	put(f, GIVE(NUMBER(EAFNOSUPPORT)));
	put(f, SKIP_UNLESS(FAMILY_ALG, 1));
	put(f, GIVE(NUMBER(EAFNOSUPPORT)));
	put(f, GIVE(SECCOMP_RET_ALLOW));
}

bool inner_seccomp_apply(void) {
	struct program f = {.n = 0};
	put(&f, LOAD(arch));
	put(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
	put(&f, GIVE(SECCOMP_RET_KILL_PROCESS)); // 32-bit code: its numbers mean other calls
	put(&f, LOAD(nr));
#if defined(__x86_64__)
	put(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1)); // x32
	put(&f, GIVE(NUMBER(ENOSYS)));
#endif
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		put(&f, SKIP_UNLESS(refused[i], 1));
		put(&f, GIVE(NUMBER(EPERM)));
	}
	for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
		put(&f, SKIP_UNLESS(missing[i], 1));
		put(&f, GIVE(NUMBER(ENOSYS)));
	}
	put_argument_rules(&f);
	if (f.n > PROGRAM_MAX) {
		errno = E2BIG;
		return false;
	}
	struct sock_fprog program = {.len = f.n, .filter = f.p};
	// Flags 0: later SECCOMP_FILTER_FLAG_NEW_LISTENER, whose descriptor goes out by
	// INNER_REPORT_FD.
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}
