// libmicrohttpd, loaded at its first call: see os/late.h.
#include "os/late.h"

#include <stdarg.h>

#include <microhttpd.h>

#define CALL(name) LATE(handle, "libmicrohttpd.so.12", name)

static void *handle;

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback accept,
                                    void *accept_context, MHD_AccessHandlerCallback access,
                                    void *access_context, ...) {
	va_list options;
	va_start(options, access_context);
	struct MHD_Daemon *started = CALL(MHD_start_daemon_va)(flags, port, accept, accept_context,
	                                                       access, access_context, options);
	va_end(options);
	return started;
}

void MHD_stop_daemon(struct MHD_Daemon *d) {
	CALL(MHD_stop_daemon)(d);
}

enum MHD_Result MHD_run(struct MHD_Daemon *d) {
	return CALL(MHD_run)(d);
}

enum MHD_Result MHD_get_timeout(struct MHD_Daemon *d, MHD_UNSIGNED_LONG_LONG *timeout) {
	return CALL(MHD_get_timeout)(d, timeout);
}

// The kinds of information that are asked for take no further argument.
const union MHD_DaemonInfo *MHD_get_daemon_info(struct MHD_Daemon *d, enum MHD_DaemonInfoType type,
                                                ...) {
	return CALL(MHD_get_daemon_info)(d, type);
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *c,
                                                        enum MHD_ConnectionInfoType type, ...) {
	return CALL(MHD_get_connection_info)(c, type);
}

const char *MHD_lookup_connection_value(struct MHD_Connection *c, enum MHD_ValueKind kind,
                                        const char *key) {
	return CALL(MHD_lookup_connection_value)(c, kind, key);
}

void MHD_suspend_connection(struct MHD_Connection *c) {
	CALL(MHD_suspend_connection)(c);
}

void MHD_resume_connection(struct MHD_Connection *c) {
	CALL(MHD_resume_connection)(c);
}

struct MHD_Response *MHD_create_response_from_buffer(size_t size, void *buffer,
                                                     enum MHD_ResponseMemoryMode mode) {
	return CALL(MHD_create_response_from_buffer)(size, buffer, mode);
}

struct MHD_Response *MHD_create_response_from_callback(uint64_t size, size_t block,
                                                       MHD_ContentReaderCallback read,
                                                       void *context,
                                                       MHD_ContentReaderFreeCallback end) {
	return CALL(MHD_create_response_from_callback)(size, block, read, context, end);
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *r, const char *name,
                                        const char *value) {
	return CALL(MHD_add_response_header)(r, name, value);
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *c, unsigned status,
                                   struct MHD_Response *r) {
	return CALL(MHD_queue_response)(c, status, r);
}

void MHD_destroy_response(struct MHD_Response *r) {
	CALL(MHD_destroy_response)(r);
}
