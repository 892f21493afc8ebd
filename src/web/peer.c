#include "web/peer.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "os/file.h"

enum { TABLE_MAX = 64 << 20 };

static bool is_mapped(const struct sockaddr *a) {
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
}

bool peer_is_loopback(const struct sockaddr *a) {
	if (a->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24 == 127;
	if (a->sa_family != AF_INET6) return false;
	const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(six) || (is_mapped(a) && six->s6_addr[12] == 127);
}

void peer_text(const struct sockaddr *a, char out[64]) {
	out[0] = 0;
	if (a->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out, 64);
	} else if (a->sa_family == AF_INET6) {
		const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
		if (is_mapped(a)) inet_ntop(AF_INET, six->s6_addr + 12, out, 64);
		else inet_ntop(AF_INET6, six, out, 64);
	}
}

// "0100007F:1F90": each word of four bytes as a number of this machine, then the port.
static void kernel_text(const struct sockaddr *a, bool six, char out[64]) {
	uint32_t words[4] = {0};
	unsigned port;
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a;
		words[six ? 3 : 0] = in->sin_addr.s_addr;
		if (six) words[2] = htonl(0xffff);
		port = ntohs(in->sin_port);
	} else {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)a;
		memcpy(words, &in->sin6_addr, sizeof words);
		if (!six) words[0] = words[3]; // a mapped address
		port = ntohs(in->sin6_port);
	}
	if (six)
		snprintf(out, 64, "%08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3], port);
	else snprintf(out, 64, "%08X:%04X", words[0], port);
}

static struct str word(struct str *rest) {
	while (rest->n && rest->p[0] == ' ') *rest = str_from(*rest, 1);
	return str_cut(rest, ' ');
}

static bool find(struct str table, bool six, const struct sockaddr *remote,
                 const struct sockaddr *local, uid_t *uid) {
	char own[64], other[64];
	kernel_text(remote, six, own);
	kernel_text(local, six, other);
	while (table.p) {
		struct str line = str_cut(&table, '\n');
		uint64_t number;
		word(&line); // sl
		if (!str_eq(word(&line), str_of(own)) || !str_eq(word(&line), str_of(other))) continue;
		if (!str_eq(word(&line), STR("01")))
			continue;                            // established; a socket in TIME_WAIT has uid 0
		for (int i = 0; i < 3; i++) word(&line); // queues, timer, retransmissions
		if (!str_to_u64(word(&line), &number)) return false;
		*uid = (uid_t)number;
		return true;
	}
	return false;
}

bool peer_find(struct str table, const struct sockaddr *remote, const struct sockaddr *local,
               uid_t *uid) {
	return find(table, false, remote, local, uid) || find(table, true, remote, local, uid);
}

bool peer_uid(const struct sockaddr *remote, const struct sockaddr *local, uid_t *uid) {
	static const char *const paths[] = {"/proc/net/tcp", "/proc/net/tcp6"};
	bool plain = remote->sa_family == AF_INET6 && !is_mapped(remote);
	for (size_t i = plain; i < ARRAY_LEN(paths); i++) {
		AUTO_BUF table = {0};
		struct err e;
		if (file_read(paths[i], TABLE_MAX, &table, &e) &&
		    find(buf_view(&table), i == 1, remote, local, uid))
			return true;
	}
	return false;
}
