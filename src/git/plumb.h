// Inside src/git only: long-lived plumbing children of a repository, one question at a time each,
// kept in a small pool so that two threads never wait for one child.
//   READ   git cat-file --batch-command: flushes after each answer
//   MERGE  git merge-tree --stdin: git 2.39 does not flush, so stdbuf makes it unbuffered; it ends
//   on a bad
//          pair, and the caller asks again by a child of its own
//   WRITE  git hash-object -t commit -w --stdin-paths: the bytes stand in a memory file that the
//   child opens
//          as /proc/self/fd/N
//   REFS   git update-ref --stdin: one transaction with one ref at a time; ends when the compare
//   fails
#pragma once
#include "git/child.h"

struct git_plumb {
	struct git_plumb *next;
	struct git_repo *repo;
	enum git_plumb_kind kind;
	unsigned generation, uses;
	pid_t pid;
	int to, from, errors, body; // body: the memory file of WRITE
	struct buf in;              // bytes read, not yet taken: in.p + taken .. in.p + in.n
	size_t taken;
	size_t pending; // questions without an answer yet
	bool broken;    // dead or out of step: give ends it
};

MUST_USE bool git_plumb_take(struct git_repo *r, enum git_plumb_kind kind, struct git_plumb **out,
                             struct err *e);
void git_plumb_give(struct git_plumb **given); // ends it when broken, old or used up; NULL is fine
#define AUTO_PLUMB __attribute__((cleanup(git_plumb_give))) struct git_plumb *
void git_plumb_rest(struct git_repo *r); // ends the idle ones, and the busy ones when given back

// All mark p broken when they fail (ERR_UNAVAILABLE: the child is gone, its last words in the
// text).
MUST_USE bool git_plumb_send(struct git_plumb *p, struct str bytes, struct err *e);
// Up to and without `end`; borrowed until the next call on p.
MUST_USE bool git_plumb_until(struct git_plumb *p, char end, struct str *out, struct err *e);
MUST_USE bool git_plumb_bytes(struct git_plumb *p, size_t n, struct str *out, struct err *e);
MUST_USE bool git_plumb_skip(struct git_plumb *p, uint64_t n, struct err *e);
