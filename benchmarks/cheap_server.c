/* A cheap SSH server for benchmarks: one process, one thread per connection, one canned answer.

   cheap_server HOST_KEY LOGIN_KEY.pub ANSWER_OUT ANSWER_ERR PORT HOLD < addresses

   Listens on the given loopback addresses, lets in whoever has the one key, and answers any exec
   after the end of its standard input. Of the script that came in, only the nonce is looked at
   (`m=sauro:` and 32 hexadecimal digits). In the recorded answers \1 stands for the nonce, \2 for
   the seconds since the start (/proc/uptime) and \3 for the time of day. With HOLD > 0, answers
   wait until that many connections have asked (or 60 s), so that so many are open at once.

   "ready" is printed when all addresses listen. The server ends when its parent does. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { NONCE = 32, SCRIPT = 1 << 20 };

struct text {
    char *bytes;
    size_t size;
};

static ssh_bind server;
static ssh_key allowed;
static struct text out, err;
static int hold, asked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_asked = PTHREAD_COND_INITIALIZER;

static void die(const char *what) {
    fprintf(stderr, "cheap_server: %s\n", what);
    exit(1);
}

static struct text whole_file(const char *path) {
    struct text found = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) die(path);
    found.size = (size_t)ftell(file);
    rewind(file);
    found.bytes = malloc(found.size + 1);
    if (!found.bytes || fread(found.bytes, 1, found.size, file) != found.size) die(path);
    fclose(file);
    return found;
}

/* The recorded answer with this nonce and the times of now. */
static struct text filled(struct text from, const char *nonce) {
    struct text to = {malloc(from.size * (NONCE + 1) + 1), 0};
    struct timespec up, now;
    char uptime[32], epoch[48];
    clock_gettime(CLOCK_BOOTTIME, &up);
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(uptime, sizeof uptime, "%ld.%02ld", up.tv_sec, up.tv_nsec / 10000000);
    snprintf(epoch, sizeof epoch, "%ld.%09ld", now.tv_sec, now.tv_nsec);
    for (size_t i = 0; i < from.size; i++) {
        const char *put = &from.bytes[i];
        size_t length = 1;
        if (*put == 1) put = nonce, length = NONCE;
        else if (*put == 2) put = uptime, length = strlen(uptime);
        else if (*put == 3) put = epoch, length = strlen(epoch);
        memcpy(to.bytes + to.size, put, length);
        to.size += length;
    }
    return to;
}

static void wait_for_all(void) {
    struct timespec end;
    if (!hold) return;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 60;
    pthread_mutex_lock(&lock);
    if (++asked >= hold) pthread_cond_broadcast(&all_asked);
    while (asked < hold && !pthread_cond_timedwait(&all_asked, &lock, &end)) {
    }
    pthread_mutex_unlock(&lock);
}

static int write_all(ssh_channel channel, struct text text, int to_err) {
    for (size_t at = 0; at < text.size;) {
        uint32_t left = (uint32_t)(text.size - at);
        int sent = to_err ? ssh_channel_write_stderr(channel, text.bytes + at, left)
                          : ssh_channel_write(channel, text.bytes + at, left);
        if (sent < 0) return 0;
        at += (size_t)sent;
    }
    return 1;
}

static void answer(ssh_channel channel) {
    char *script = malloc(SCRIPT + 1);
    size_t size = 0;
    int got;
    while (size < SCRIPT && (got = ssh_channel_read(channel, script + size, SCRIPT - size, 0)) > 0)
        size += (size_t)got;
    script[size] = 0;
    const char *mark = "m=sauro:", *found = strstr(script, mark);
    if (found && strlen(found) >= strlen(mark) + NONCE) {
        char nonce[NONCE];
        memcpy(nonce, found + strlen(mark), NONCE);
        wait_for_all();
        struct text one = filled(out, nonce), two = filled(err, nonce);
        write_all(channel, one, 0);
        write_all(channel, two, 1);
        free(one.bytes);
        free(two.bytes);
    }
    free(script);
    ssh_channel_request_send_exit_status(channel, 0);
    ssh_channel_send_eof(channel);
    ssh_channel_close(channel);
}

/* Handles one message; the channel once it is open, and whether it was told to run something. */
static void handle(ssh_message message, ssh_channel *channel, int *run) {
    int type = ssh_message_type(message), subtype = ssh_message_subtype(message);
    if (type == SSH_REQUEST_SERVICE) {
        ssh_message_service_reply_success(message);
    } else if (type == SSH_REQUEST_AUTH && subtype == SSH_AUTH_METHOD_PUBLICKEY &&
               !ssh_key_cmp(ssh_message_auth_pubkey(message), allowed, SSH_KEY_CMP_PUBLIC)) {
        enum ssh_publickey_state_e state = ssh_message_auth_publickey_state(message);
        if (state == SSH_PUBLICKEY_STATE_NONE) ssh_message_auth_reply_pk_ok_simple(message);
        else if (state == SSH_PUBLICKEY_STATE_VALID) ssh_message_auth_reply_success(message, 0);
        else ssh_message_reply_default(message);
    } else if (type == SSH_REQUEST_AUTH) {
        ssh_message_auth_set_methods(message, SSH_AUTH_METHOD_PUBLICKEY);
        ssh_message_reply_default(message);
    } else if (type == SSH_REQUEST_CHANNEL_OPEN && subtype == SSH_CHANNEL_SESSION && !*channel) {
        *channel = ssh_message_channel_request_open_reply_accept(message);
    } else if (type == SSH_REQUEST_CHANNEL && subtype == SSH_CHANNEL_REQUEST_EXEC && *channel) {
        ssh_message_channel_request_reply_success(message);
        *run = 1;
    } else {
        ssh_message_reply_default(message);
    }
}

static void *serve(void *given) {
    int fd = (int)(long)given, one = 1, run = 0, rc;
    ssh_session session = ssh_new();
    ssh_channel channel = NULL;
    ssh_message message;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    pthread_mutex_lock(&lock);
    rc = ssh_bind_accept_fd(server, session, fd);
    pthread_mutex_unlock(&lock);
    if (rc == SSH_OK && ssh_handle_key_exchange(session) == SSH_OK) {
        while ((message = ssh_message_get(session))) {
            handle(message, &channel, &run);
            ssh_message_free(message);
            if (run) answer(channel), run = 0;
        }
    }
    ssh_disconnect(session);
    ssh_free(session);
    return NULL;
}

static int listener(const char *address, int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || ntohl(to.sin_addr.s_addr) >> 24 != 127)
        die("not a loopback address");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&to, sizeof to) || listen(fd, 256)) die("cannot listen");
    return fd;
}

int main(int count, char **words) {
    char address[64];
    int process_config = 0, events = epoll_create1(EPOLL_CLOEXEC);
    pthread_attr_t small;
    if (count != 7) die("wrong arguments");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    ssh_init();
    server = ssh_bind_new();
    ssh_bind_options_set(server, SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config);
    if (ssh_bind_options_set(server, SSH_BIND_OPTIONS_HOSTKEY, words[1])) die(words[1]);
    if (ssh_pki_import_pubkey_file(words[2], &allowed)) die(words[2]);
    out = whole_file(words[3]);
    err = whole_file(words[4]);
    hold = atoi(words[6]);
    while (scanf("%63s", address) == 1) {
        struct epoll_event wanted = {.events = EPOLLIN};
        wanted.data.fd = listener(address, atoi(words[5]));
        epoll_ctl(events, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
    }
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 18);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event came[64];
        int n = epoll_wait(events, came, 64, -1);
        for (int i = 0; i < n; i++) {
            pthread_t thread;
            int fd = accept4(came[i].data.fd, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0 && pthread_create(&thread, &small, serve, (void *)(long)fd)) close(fd);
        }
    }
}
