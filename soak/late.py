# Clients that finish their handshake a second late: they take no packet of an ordinary TTL (IP_MINTTL) at first, and so
# drop the answer to their SYN, which comes again a second later. Then they wait for the server to speak, and ask.
# argv[1]: {"targets": [{"name", "family", "hosts", "port", "width"}], "timeout": ms}. Prints its counts as JSON lines;
# ends when its standard input does.
import errno
import json
import select
import socket
import sys
import time

IP_MINTTL, IPV6_MINHOPCOUNT = 21, 73
DEAF = 0.3

setting = json.loads(sys.argv[1])
counts = {target["name"]: {"total": 0, "slow": 0, "failed": {}} for target in setting["targets"]}
poll = select.epoll()
poll.register(0, select.EPOLLIN)
ending = False


class Client:
    def __init__(self, target, turn):
        self.target, self.turn = target, turn
        self.begin()

    def deafen(self, ttl):
        if self.target["family"] == 4:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_MINTTL, ttl)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl)

    def begin(self):
        self.turn += 1
        self.socket = socket.socket(socket.AF_INET if self.target["family"] == 4 else socket.AF_INET6)
        self.socket.setblocking(False)
        self.deafen(255)
        hosts = self.target["hosts"]
        try:
            self.socket.connect((hosts[self.turn % len(hosts)], self.target["port"]))
        except BlockingIOError:
            pass
        self.begun = time.monotonic()
        self.deaf = True
        self.said = b""
        clients[self.socket.fileno()] = self
        poll.register(self.socket.fileno(), select.EPOLLIN)

    def hear(self):
        if self.deaf and time.monotonic() - self.begun > DEAF:
            self.deafen(0)
            self.deaf = False
        if (time.monotonic() - self.begun) * 1000 > setting["timeout"]:
            self.end("no answer in %d ms" % setting["timeout"])

    def read(self):
        try:
            data = self.socket.recv(64)
        except BlockingIOError:
            return
        except OSError as error:
            self.end(errno.errorcode.get(error.errno, str(error)))
            return
        self.said += data
        if data == b"":
            self.end(None if self.said == b"hello ?" else "ended after %r" % self.said)
        elif self.said == b"hello ":
            self.socket.send(b"?")

    def end(self, failure):
        count = counts[self.target["name"]]
        count["total"] += 1
        if failure:
            count["failed"][failure] = count["failed"].get(failure, 0) + 1
        poll.unregister(self.socket.fileno())
        del clients[self.socket.fileno()]
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()
        if not ending:
            self.begin()


def tell(**more):
    print(json.dumps({"counts": counts, **more}), flush=True)


clients = {}
for target in setting["targets"]:
    for turn in range(target["width"]):
        Client(target, turn)
told = time.monotonic()
while clients:
    for fd, _ in poll.poll(0.05):
        if fd == 0:
            ending = True
            poll.unregister(0)
        elif fd in clients:
            clients[fd].read()
    for client in list(clients.values()):
        client.hear()
    if time.monotonic() - told > 0.2:
        told = time.monotonic()
        tell()
tell(done=True)
