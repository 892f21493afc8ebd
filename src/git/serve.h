// Serving repositories to git clients: smart HTTP through `git http-backend` as a CGI child, and
// the command that sshd is forced to run. Repositories are DATA/repos/NAME.git.
#pragma once
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "git/home.h"

// NAME of a repository: 1 to 100 of letters, digits and . _ -, no dot or dash in front, no ".git"
// or ".lock" at the end.
bool git_serve_name_ok(struct str name);

struct git_serve_request {
	struct str method;                                       // GET or POST
	struct str path;                                         // behind "/git": "/NAME.git/info/refs"
	struct str query;                                        // "service=git-upload-pack"
	struct str content_type, content_encoding, git_protocol; // request headers, may be empty
	struct str pusher, peer; // who was authenticated (may be empty), address
	bool pipeline;           // they have the scope pipeline
	int body;                // a file or pipe with the request body; -1 = none
	int64_t body_bytes;      // its length; -1 = until the end
};

// What the path and query ask for. False with a code for the client: ERR_NOT_FOUND, ERR_INVALID,
// ERR_DENIED (dumb protocol). *pushes: it is part of a push, for whoever decides about scopes.
// *name is borrowed from the request.
MUST_USE bool git_serve_judge(const struct git_serve_request *q, struct str *name, bool *pushes,
                              struct err *e);
// Judges and starts it. *from is a pipe with the CGI answer (close it), *pid the child to wait for;
// a client that went away: close *from and kill the group -pid. Call from a thread that stays: the
// child dies with it.
MUST_USE bool git_serve_http(struct git_home *h, const struct git_serve_request *q, pid_t *pid,
                             int *from, struct err *e);

// The head of a CGI answer (RFC 3875, 6.3). MORE: not all of it is here yet.
struct git_serve_header {
	struct str name, value;
};
struct git_serve_head {
	int status; // 200 unless a Status line says otherwise
	struct git_serve_header headers[20];
	size_t header_count;
	size_t bytes; // the body begins here
};
enum git_serve_cgi { GIT_SERVE_READY, GIT_SERVE_MORE, GIT_SERVE_BAD };
enum git_serve_cgi git_serve_parse_head(struct str bytes, struct git_serve_head *out); // borrows

// SSH: `command` is SSH_ORIGINAL_COMMAND, e.g. git-receive-pack '/NAME.git' (also git/NAME.git,
// NAME.git, NAME).
struct git_serve_ssh {
	bool pushes; // git-receive-pack
	struct str name;
};
MUST_USE bool git_serve_parse_ssh(struct str command, struct arena *life, struct git_serve_ssh *out,
                                  struct err *e);
// Becomes the git program with the caller's descriptors 0, 1, 2; returns only with an error.
bool git_serve_exec_ssh(const char *data, const struct git_serve_ssh *ssh, const char *pusher,
                        bool pipeline, struct err *e);
