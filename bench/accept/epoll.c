// The ceiling: what the kernel alone takes for connections that share a port. argv: port, number of processes.
// Answers every request with the process id, and closes the connection where the request says so.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char answer[2][256];  // one for each kind of connection: closed after it, kept

static int listen_on(int port) {
  const int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) < 0 ||
      bind(fd, (struct sockaddr*)&address, sizeof address) < 0 || listen(fd, 511) < 0) {
    perror("listen");
    exit(1);
  }
  return fd;
}

static void accept_all(int loop, int listener) {
  const int yes = 1;
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    // As Node does it for HTTP.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) < 0) close(fd);
  }
}

// A request comes in one piece here.
static void serve(int fd) {
  char request[4096];
  ssize_t length = read(fd, request, sizeof request - 1);
  if (length <= 0) {
    close(fd);
    return;
  }
  request[length] = 0;
  int is_kept = strstr(request, "onnection: close") == NULL;
  const char* text = answer[is_kept];
  if (write(fd, text, strlen(text)) < 0 || !is_kept) close(fd);
}

static void run(int port) {
  int listener = listen_on(port), loop = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event events[256], own = {.events = EPOLLIN, .data.fd = listener};
  char pid[16];
  int digits = snprintf(pid, sizeof pid, "%d", getpid());
  for (int kept = 0; kept < 2; kept++)
    snprintf(answer[kept], sizeof answer[kept], "HTTP/1.1 200 OK\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n%s",
             kept ? "keep-alive" : "close", digits, pid);
  if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &own) < 0) exit(1);
  for (;;) {
    int count = epoll_wait(loop, events, 256, -1);
    for (int index = 0; index < count; index++) {
      if (events[index].data.fd == listener)
        accept_all(loop, listener);
      else
        serve(events[index].data.fd);
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  for (int started = 0; started < atoi(argv[2]); started++) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run(atoi(argv[1]));
  }
  char byte;
  while (read(0, &byte, 1) > 0) continue;  // ends with the benchmark
  kill(0, SIGKILL);
}
