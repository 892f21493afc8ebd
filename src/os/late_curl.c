// libcurl, loaded at its first call: see os/late.h.
#include "os/late.h"

#include <stdarg.h>

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#undef curl_easy_setopt // macros that check the number of arguments
#undef curl_easy_getinfo

#define CALL(name) LATE(handle, "libcurl.so.4", name)

static void *handle;

CURLcode curl_global_init(long flags) {
	return CALL(curl_global_init)(flags);
}

CURL *curl_easy_init(void) {
	return CALL(curl_easy_init)();
}

void curl_easy_cleanup(CURL *curl) {
	CALL(curl_easy_cleanup)(curl);
}

void curl_easy_reset(CURL *curl) {
	CALL(curl_easy_reset)(curl);
}

CURLcode curl_easy_perform(CURL *curl) {
	return CALL(curl_easy_perform)(curl);
}

const char *curl_easy_strerror(CURLcode code) {
	return CALL(curl_easy_strerror)(code);
}

// Every argument is a long, a pointer or a curl_off_t: one machine word on 64 bits.
CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...) {
	va_list args;
	va_start(args, option);
	void *value = va_arg(args, void *);
	va_end(args);
	return CALL(curl_easy_setopt)(curl, option, value);
}

CURLcode curl_easy_getinfo(CURL *curl, CURLINFO info, ...) {
	va_list args;
	va_start(args, info);
	void *value = va_arg(args, void *);
	va_end(args);
	return CALL(curl_easy_getinfo)(curl, info, value);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *data) {
	return CALL(curl_slist_append)(list, data);
}

void curl_slist_free_all(struct curl_slist *list) {
	CALL(curl_slist_free_all)(list);
}

_Static_assert(sizeof(void *) == sizeof(curl_off_t), "the arguments of curl_easy_setopt are words");
