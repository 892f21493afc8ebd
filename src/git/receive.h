// The daemon's side of a push. weir-hook (proc-receive) connects to DATA/receive.sock and sends one
// line of JSON:
//
//   {"version":1,"uid":0,"repo":"NAME.git","via":"path","pusher":"","pipeline":false,
//    "options":["topic=x"],"commands":[{"ref":"refs/for/main","old":"000…","new":"5d6a…"}]}
//
// via is path, http or ssh; pipeline says that the pusher has that scope. pusher, via and pipeline
// are worth something only when the peer of the socket (SO_PEERCRED) is the daemon's own uid or
// root; otherwise the pusher is the peer's uid. The
// objects are in the repository by then (git 2.39 leaves the quarantine before proc-receive). The
// answer are packets (git/pkt.h), in this order:
//
//   "m TEXT"                any number: a line for the pusher ("remote: TEXT")
//   one for each command:   "ok", or "ok REFNAME OID" (what was really written), or "ng REASON"
//   (one line) flush
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "git/query.h"

enum { GIT_RECEIVE_LINE_MAX = 4 << 20 }; // a longer request line is refused

struct git_push_command {
	struct str ref;
	struct oid old, new; // new none: a deletion
};

struct git_push {
	struct str repo, via, pusher;
	bool pipeline;
	int64_t uid;
	struct str *options;
	size_t option_count;
	struct git_push_command *commands;
	size_t command_count;
};

// What the options say; empty where they say nothing.
struct git_push_options {
	struct str topic, title, priority;
	bool draft;
};

// Where a command aims.
struct git_push_aim {
	enum git_push_kind {
		GIT_PUSH_CHANGE, // refs/for/BRANCH or refs/for/BRANCH/TOPIC
		GIT_PUSH_FIRST,  // directly to trunk, which does not exist yet: creates it
	} kind;
	struct str branch, topic; // topic may be empty
	bool unborn; // the branch does not exist yet: it is the trunk of an empty repository
};

// ERR_INVALID: not such a line. Everything points into `life`.
MUST_USE bool git_receive_parse(struct str line, struct arena *life, struct git_push *out,
                                struct err *e);
// ERR_INVALID: an unknown option (names the known ones) or a bad value.
MUST_USE bool git_receive_options(const struct git_push *push, struct git_push_options *out,
                                  struct err *e);
// trunk: "main"; heads: git_query_refs(…, "refs/heads/"). The errors are sentences for the pusher:
// ERR_DENIED for a direct push, a tag, a deletion; ERR_NOT_FOUND for an unknown branch; ERR_INVALID
// for a bad name.
MUST_USE bool git_receive_aim(const struct git_push_command *command, struct str trunk,
                              const struct git_ref *heads, size_t head_count,
                              struct git_push_aim *out, struct err *e);

void git_receive_say(struct buf *answer, struct str text); // each line of text
void git_receive_ok(struct buf *answer);
void git_receive_ok_as(struct buf *answer, struct str ref, struct oid oid);
void git_receive_refuse(struct buf *answer, struct str reason);
void git_receive_end(struct buf *answer);
