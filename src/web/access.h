// Who asks, and whether the request may come from where it says: Host and Origin, tokens, loopback,
// the token in forms. Pure but for the look-up of tokens: everything that a request brings is in
// struct access_request.
#pragma once
#include "api/api.h"

struct access_rules {
	struct str public_host; // host of the public URL with its port, "" = none
	struct str own_host;    // "127.0.0.1:8420"
	bool ambient;           // loopback may do without a token
	char secret[32];        // for the token in forms; random at each start
};

struct access_request {
	struct str method, host, origin, fetch_site; // headers, p == NULL = not sent
	struct str authorization, cookie;
	bool forwarded; // it carries X-Forwarded-For or Forwarded: somebody speaks for somebody else
	bool same_user; // the peer is on loopback, its uid the daemon's or root's
	bool is_git;    // a client that knows passwords only
};

// ERR_DENIED with the sentence for the client: a name that is not this server's, a page of somebody
// else.
MUST_USE bool access_origin(const struct access_rules *r, const struct access_request *q,
                            struct err *e);
// Nobody (scopes 0) is no error; a token that is wrong is.
MUST_USE bool access_identity(const struct access_rules *r, struct api *api,
                              const struct access_request *q, struct arena *life,
                              struct api_identity *out, struct err *e);
void access_form_token(const struct access_rules *r, const struct api_identity *who, char out[65]);
bool access_form_ok(const struct access_rules *r, const struct api_identity *who, struct str token);
