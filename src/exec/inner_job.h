// What the leader tells weir-inner, the first program inside the sandbox, and what it answers.
// Needs libc only.
//
// The job is a sealed memory file on INNER_JOB_FD: INNER_MAGIC, then records TAG (1 byte), LENGTH
// (4 bytes, the machine's order), that many bytes. Texts carry their NUL. The answer goes to
// INNER_REPORT_FD, a socket (later it also carries out a seccomp listener): "S" and a Landlock
// version as one digit = the job runs now; "E" and a text = it could not be started. The socket
// closes on exec. weir-inner waits on it first: any byte says that the workspace is there.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INNER_JOB_FD = 4, INNER_REPORT_FD = 5 };

#define INNER_MAGIC "weirjob1"
#define INNER_SECRETS "/run/secrets"

enum inner_tag {
	INNER_COMMAND = 'C',  // text for /bin/sh -e -c
	INNER_FOLDER = 'D',   // where it starts
	INNER_ENV = 'E',      // NAME=value, several
	INNER_SECRET = 'S',   // NAME NUL value NUL: a file in INNER_SECRETS and a variable, several
	INNER_LIMIT = 'L',    // RLIMIT_x and value, 8 bytes each, several
	INNER_WRITABLE = 'W', // path that Landlock leaves writable, several
};

struct inner_record {
	enum inner_tag tag;
	const char *bytes;
	uint32_t n;
};

struct inner_job {
	const char *at, *end;
};

// Judges the whole: false when magic, tags, lengths or NULs are not as above.
bool inner_job_open(const void *bytes, size_t n, struct inner_job *job);
bool inner_job_next(struct inner_job *job, struct inner_record *record);
