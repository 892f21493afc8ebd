#include "web/peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

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

// ---------------------------------------------------------------- asking for one socket

// Address and port as the kernel's questions want them; a mapped address is an IPv4 one.
static uint16_t diag_address(const struct sockaddr *a, bool six, __be32 out[4]) {
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a;
		out[0] = in->sin_addr.s_addr;
		return in->sin_port;
	}
	const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)a;
	if (six) memcpy(out, &in->sin6_addr, 16);
	else memcpy(out, in->sin6_addr.s6_addr + 12, 4);
	return in->sin6_port;
}

// The table has a line for each socket of the machine: to read it for each of a thousand clients
// kept the daemon busy for seconds. sock_diag(7) tells of one socket, in microseconds. False: there
// is none, or the kernel or a sandbox around weir does not answer such questions.
static bool ask(const struct sockaddr *remote, const struct sockaddr *local, bool six, uid_t *uid) {
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 body;
	} question = {
		.header = {.nlmsg_len = sizeof question,
	               .nlmsg_type = SOCK_DIAG_BY_FAMILY,
	               .nlmsg_flags = NLM_F_REQUEST},
		.body = {.sdiag_family = six ? AF_INET6 : AF_INET,
	             .sdiag_protocol = IPPROTO_TCP,
	             .idiag_states = UINT32_MAX,
	             .id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
	};
	struct {
		struct nlmsghdr header;
		struct inet_diag_msg body;
		char more[4096];
	} answer;
	struct inet_diag_sockid *id = &question.body.id;
	id->idiag_sport = diag_address(remote, six, id->idiag_src);
	id->idiag_dport = diag_address(local, six, id->idiag_dst);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0) return false;
	// The answer is there as soon as the question is sent.
	bool answered = send(fd, &question, sizeof question, 0) == sizeof question &&
	                recv(fd, &answer, sizeof answer, MSG_DONTWAIT) >=
	                    (ssize_t)(sizeof answer.header + sizeof answer.body);
	close(fd);
	// A socket that listens at the client's address is found as well, when the client is gone.
	if (!answered || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    answer.body.idiag_state != TCP_ESTABLISHED ||
	    answer.body.id.idiag_sport != id->idiag_sport ||
	    answer.body.id.idiag_dport != id->idiag_dport)
		return false;
	*uid = answer.body.idiag_uid;
	return true;
}

bool peer_uid(const struct sockaddr *remote, const struct sockaddr *local, uid_t *uid) {
	static const char *const paths[] = {"/proc/net/tcp", "/proc/net/tcp6"};
	bool plain = remote->sa_family == AF_INET6 && !is_mapped(remote);
	if (ask(remote, local, plain, uid)) return true;
	for (size_t i = plain; i < ARRAY_LEN(paths); i++) {
		AUTO_BUF table = {0};
		struct err e;
		if (file_read(paths[i], TABLE_MAX, &table, &e) &&
		    find(buf_view(&table), i == 1, remote, local, uid))
			return true;
	}
	return false;
}
