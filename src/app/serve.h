// The role `serve`: opens a data folder, recovers, and runs the turn until it is told to stop.
#pragma once
#include "app/daemon.h"

struct serve_options {
	const char *data;          // NULL = .weir
	const char *listen;        // NULL = 127.0.0.1:8420; port 0 picks one
	int recheck;               // per cent of reused verdicts that are run all the same
	int slots;                 // runs at once; 0 = as many as cores
	int batch;                 // changes that are tested together, at most; 0 = the policy's own
	const char *trusted_proxy; // address that may speak for others, NULL = none
	const char *tls_cert, *tls_key;
	const char *public_url; // http[s]://NAME[:PORT], NULL = by its own address
};

int serve_main(const struct serve_options *options); // exit status
