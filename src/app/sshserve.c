#include "app/sshserve.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/operations.h"
#include "git/serve.h"
#include "store/read.h"

static bool find_key(const char *data, struct str name, unsigned *scopes, struct err *e) {
	AUTO_ARENA life = {0};
	AUTO_STORE store = NULL;
	struct read_keys keys;
	if (!store_open(data, STORE_READ, &store, e) || !read_keys(store, &life, &keys, e))
		return false;
	for (size_t i = 0; i < keys.n; i++)
		if (str_eq(keys.p[i].name, name))
			return operation_scopes_parse(keys.p[i].scopes, scopes, e);
	return err_set(e, ERR_DENIED, "the key " STR_FMT " was removed", STR_ARG(name));
}

static bool serve(struct cli *cli, struct arena *life, struct err *e) {
	const char *command = getenv("SSH_ORIGINAL_COMMAND"), *data = cli_value(cli, "data");
	struct str name = str_of(cli_word(cli, 0));
	struct git_serve_ssh asked;
	unsigned scopes = 0;
	char folder[PATH_MAX];
	if (!realpath(data ? data : ".weir", folder))
		return err_set(e, ERR_NOT_FOUND, "there is no data folder %s", data ? data : ".weir");
	if (!git_serve_parse_ssh(str_of(command ? command : ""), life, &asked, e) ||
	    !find_key(folder, name, &scopes, e))
		return false;
	enum operation_scope needed = asked.pushes ? OPERATION_SCOPE_PROPOSE : OPERATION_SCOPE_READ;
	if (!operation_allows(scopes, needed))
		return err_set(e, ERR_DENIED, "the key " STR_FMT " has no scope %s", STR_ARG(name),
		               operation_scope_name(needed));
	return git_serve_exec_ssh(folder, &asked, cli_word(cli, 0),
	                          operation_allows(scopes, OPERATION_SCOPE_PIPELINE), e);
}

int sshserve_command(struct cli *cli) {
	AUTO_ARENA life = {0};
	struct err e = {0};
	if (!serve(cli, &life, &e)) fprintf(stderr, "weir: %s\n", e.text);
	return 1;
}
