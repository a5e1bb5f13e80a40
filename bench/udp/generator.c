// Sends datagrams at a fixed rate, whether or not they are answered, and counts the answers: as generator.js, and
// cheaper. argv: port, datagrams a second, seconds, sockets. Prints { sent, answered, elapsed } as JSON.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kBurst = 200, kMostSockets = 1024 };  // datagrams of one turn: a late generator does not make up for it at once
static const double kPatience = 0.3;         // seconds for the last answers

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long answers(int loop, int timeout) {
  struct epoll_event events[64];
  char datagram[64];
  long count = 0;
  int ready = epoll_wait(loop, events, 64, timeout);
  for (int index = 0; index < ready; index++)
    while (recv(events[index].data.fd, datagram, sizeof datagram, MSG_DONTWAIT) > 0) count++;
  return count;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int port = atoi(argv[1]), count = atoi(argv[4]), space = 1 << 20;
  const double rate = atof(argv[2]), seconds = atof(argv[3]);
  const char datagram[64] = {0};
  int sockets[kMostSockets], loop = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (count < 1 || count > kMostSockets || loop < 0) return 2;
  for (int index = 0; index < count; index++) {
    const int fd = sockets[index] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || connect(fd, (struct sockaddr*)&address, sizeof address) < 0 ||
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) < 0) {
      perror("socket");
      return 1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
  }
  const double begun = now();
  long sent = 0, answered = 0;
  double elapsed = 0;
  while ((elapsed = now() - begun) < seconds) {
    const long due = (long)(elapsed * rate) - sent;
    // What the kernel refuses counts as sent, and is not answered.
    for (long left = due < kBurst ? due : kBurst; left > 0; left--)
      send(sockets[sent++ % count], datagram, sizeof datagram, 0);
    answered += answers(loop, due > kBurst ? 0 : 1);
  }
  for (const double end = now() + kPatience; now() < end;) answered += answers(loop, 10);
  printf("{ \"sent\": %ld, \"answered\": %ld, \"elapsed\": %f }\n", sent, answered, elapsed);
}
