#include "git/receive.h"

#include <assert.h>

#include "git/commit.h"
#include "git/merge.h"
#include "git/serve.h"
#include "git/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Everything of src/git that reads what a pusher, a client or git itself wrote, on the same bytes.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_ARENA life = {0};
	AUTO_BUF answer = {0};
	struct err e;
	struct git_push push;
	struct str text = {(const char *)data, size};
	struct git_ref heads[] = {{STR("refs/heads/main"), {0}}, {STR("refs/heads/a/b"), {0}}};
	if (git_receive_parse(text, &life, &push, &e)) {
		struct git_push_options options;
		assert(push.command_count > 0);
		if (!git_receive_options(&push, &options, &e)) git_receive_refuse(&answer, str_of(e.text));
		for (size_t i = 0; i < push.command_count; i++) {
			struct git_push_aim aim;
			if (git_receive_aim(&push.commands[i], STR("main"), heads, 2, &aim, &e))
				assert(aim.branch.n > 0);
			else git_receive_refuse(&answer, str_of(e.text));
		}
	}
	git_receive_say(&answer, text);
	struct git_serve_head head;
	if (git_serve_parse_head(text, &head) == GIT_SERVE_READY) assert(head.bytes <= size);
	struct git_serve_ssh ssh;
	if (git_serve_parse_ssh(text, &life, &ssh, &e)) assert(git_serve_name_ok(ssh.name));
	struct str ours, theirs, rest = text;
	git_merge_sides(text, 100, &life, &ours, &theirs);
	assert(ours.n < 1000 && theirs.n < 1000);
	struct git_entry entry;
	while (git_tree_next(&rest, 20, &entry)) assert(entry.oid.n == 20);
	struct git_commit commit = {0};
	if (git_commit_parse(text, &life, &commit))
		assert(str_utf8_bad(commit.message) == commit.message.n);
	return 0;
}
