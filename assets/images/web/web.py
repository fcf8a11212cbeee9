"""kubelearn/web: a small web program that shows where it runs and can be broken on purpose.

One file, the standard library only, for both engines. It answers:

    /            Hello from web v1 (blue) on pod NAME at IP      (?format=json for JSON)
    /version     v1
    /healthz     ok, or 500 after POST /healthz?ok=false
    /readyz      ok, or 503 after POST /readyz?ok=false
    /crash       ends the program with exit code 1 (?code=N)
    /cpu         uses a whole CPU for ?seconds=1
    /mem         takes and keeps ?mb=10
    /count       counts calls in the file COUNT_FILE (or --count-file), which outlives the program on a volume
    /sleep       answers after ?seconds=1
    /fetch       calls ?url=http://other-service/ and shows the answer
    /env         its environment
    /headers     the request as it arrived

Settings are environment variables: PORT (8080), VERSION, COLOR, START_DELAY (seconds before it listens), FAIL=1 (ends
with an error at once), COUNT_FILE, POD_NAME, POD_IP. Each request is logged. SIGTERM: no new connections, requests
under way are finished, exit 0. Threads, not asyncio: it starts in a third of the time and half of the memory.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time

STARTED = time.time()
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large"}
REASONS |= {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
MAX_HEAD = 65536

#: In kubelearn's process engine a pod's address is a loopback address: 10.O.a.b is PREFIX.a.b, and ports below 1024
#: are moved up by 61000. In a container both are empty and nothing is moved.
PREFIX = os.environ.get("KUBELEARN_UNDERLAY", "")
OWN_IP = os.environ.get("KUBELEARN_POD_IP", "")


def setting(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def say(text: str) -> None:
    sys.stdout.write(time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()) + text + "\n")
    sys.stdout.flush()


def listen_address(port: int) -> tuple[str, int]:
    if not PREFIX:
        return "0.0.0.0", port
    return own_address(), port + 61000 if port < 1024 else port


def own_address() -> str:
    return PREFIX + "." + OWN_IP.split(".", 2)[2]


def shown_address(address: str) -> str:
    """The cluster's name for a peer's address."""
    if PREFIX and address.startswith(PREFIX + "."):
        return ".".join(OWN_IP.split(".")[:2]) + address[len(PREFIX) :]
    return address


def pod_ip() -> str:
    known = setting("POD_IP", OWN_IP)
    if known:
        return known
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.96.0.1", 53))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


class Answer(Exception):
    """What to answer; raising it ends the handler."""

    def __init__(self, status: int, body: str, content_type: str = "text/plain; charset=utf-8") -> None:
        super().__init__(body)
        self.status = status
        self.body = body
        self.content_type = content_type


class Web:
    """The program's state, and one method per path."""

    def __init__(self, count_file: str) -> None:
        self.version = setting("VERSION", "v1")
        self.color = setting("COLOR", "blue")
        self.pod = setting("POD_NAME", setting("HOSTNAME", socket.gethostname()))
        self.ip = pod_ip()
        self.count_file = count_file
        self.well = {"healthz": True, "readyz": True}
        self.held: list[bytearray] = []
        self.lock = threading.Lock()
        self.busy = 0
        self.idle = threading.Condition(self.lock)

    def get(self, method: str, path: str, query: dict[str, str], head: str) -> str:
        name = path.strip("/")
        if name in self.well:
            return self.health(name, method, query)
        if name == "":
            return self.hello(query)
        if name == "version":
            return self.version + "\n"
        if name in ("crash", "cpu", "mem", "count", "sleep", "fetch", "env"):
            answer: str = getattr(self, name)(query)
            return answer
        if name == "headers":
            return head
        raise Answer(404, f"404: no such page: {path}\n")

    def hello(self, query: dict[str, str]) -> str:
        if query.get("format") == "json":
            import json

            facts = {"version": self.version, "color": self.color, "pod": self.pod, "ip": self.ip}
            raise Answer(200, json.dumps(facts) + "\n", "application/json")
        return f"Hello from web {self.version} ({self.color}) on pod {self.pod} at {self.ip}\n"

    def health(self, name: str, method: str, query: dict[str, str]) -> str:
        if method == "POST":
            self.well[name] = query.get("ok", "true") != "false"
            state = "works" if self.well[name] else "is broken"
            say(f"/{name} {state} from now on")
            return f"/{name} {state} from now on\n"
        if not self.well[name]:
            raise Answer(500 if name == "healthz" else 503, f"{name}: broken on purpose\n")
        return "ok\n"

    def crash(self, query: dict[str, str]) -> str:
        say("crashing on purpose")
        os._exit(int(query.get("code", "1")))

    def cpu(self, query: dict[str, str]) -> str:
        seconds = number(query, "seconds", 1.0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(1000))
        return f"used a CPU for {seconds:g} s\n"

    def mem(self, query: dict[str, str]) -> str:
        megabytes = int(number(query, "mb", 10))
        self.held.append(bytearray(os.urandom(4096) * (megabytes * 256)))
        return f"holding {sum(map(len, self.held)) // 2**20} MiB\n"

    def count(self, _query: dict[str, str]) -> str:
        with self.lock:
            try:
                with open(self.count_file) as file:  # noqa: PTH123  pathlib doubles the start time
                    count = int(file.read() or 0) + 1
            except FileNotFoundError:
                count = 1
            except ValueError:
                raise Answer(500, f"{self.count_file} holds no number\n") from None
            try:
                with open(self.count_file + ".new", "w") as file:  # noqa: PTH123
                    file.write(f"{count}\n")
                os.replace(self.count_file + ".new", self.count_file)  # noqa: PTH105
            except OSError as error:
                raise Answer(500, f"cannot write {self.count_file}: {error.strerror}\n") from None
        return f"{count}\n"

    def sleep(self, query: dict[str, str]) -> str:
        seconds = number(query, "seconds", 1.0)
        threading.Event().wait(seconds)
        return f"slept {seconds:g} s\n"

    def fetch(self, query: dict[str, str]) -> str:
        url = query.get("url", "")
        try:
            return fetch(url)
        except (OSError, ValueError) as error:
            raise Answer(502, f"cannot fetch {url}: {error}\n") from None

    def env(self, _query: dict[str, str]) -> str:
        return "".join(f"{name}={value}\n" for name, value in sorted(os.environ.items()))


def number(query: dict[str, str], name: str, default: float) -> float:
    try:
        return float(query.get(name, default))
    except ValueError:
        raise Answer(400, f"{name} must be a number\n") from None


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Directly, or through the SOCKS5 proxy in ALL_PROXY (RFC 1928), which then looks up the name."""
    proxy = os.environ.get("ALL_PROXY", "")
    if not proxy.startswith("socks5"):
        return socket.create_connection((host, port), seconds)
    who, _, where = proxy.partition("://")[2].rstrip("/").rpartition("@")
    proxy_host, _, proxy_port = where.rpartition(":")
    source = (own_address(), 0) if PREFIX else None
    found = socket.create_connection((proxy_host, int(proxy_port)), seconds, source)
    name = host.encode("idna")
    found.sendall(b"\x05\x01" + (b"\x02" if who else b"\x00"))
    receive(found, 2)
    if who:
        user, _, password = (part.encode() for part in who.partition(":"))
        found.sendall(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        receive(found, 2)
    found.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big"))
    status = receive(found, 4)
    receive(found, 6 if status[3] == 1 else 18)
    if status[1]:
        found.close()
        raise OSError(
            {4: f"could not resolve host: {host}", 5: "connection refused"}.get(status[1], "no route to host")
        )
    return found


def receive(found: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = found.recv(size - len(data))
        if not more:
            raise OSError("the proxy closed the connection")
        data += more
    return data


def fetch(url: str, seconds: float = 5.0) -> str:
    """The status line and body of one HTTP answer."""
    scheme, _, rest = url.partition("://")
    if scheme != "http" or not rest:
        raise ValueError("url must be http://HOST[:PORT]/PATH")
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    with connect(host, int(port or 80), seconds) as peer:
        request = f"GET /{path} HTTP/1.0\r\nHost: {authority}\r\n\r\n"
        peer.sendall(request.encode())
        answer = b""
        while more := peer.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].decode(errors="replace")
    return f"{status}\n{body.decode(errors='replace')}"


def serve(web: Web, peer: socket.socket, address: str) -> None:
    """One connection, until the peer has had enough."""
    with peer:
        peer.settimeout(60)
        rest = b""
        while True:
            try:
                request, rest = read_request(peer, rest)
                if not request or not answer(web, peer, address, request):
                    return
            except OSError:
                return


def read_request(peer: socket.socket, rest: bytes) -> tuple[str, bytes]:
    """The head of the next request; its body is read and dropped."""
    while b"\r\n\r\n" not in rest:
        more = peer.recv(65536)
        if not more or len(rest) > MAX_HEAD:
            return "", b""
        rest += more
    head, _, rest = rest.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and value.strip().isdigit():
            size = int(value)
            while len(rest) < size:
                more = peer.recv(min(65536, size - len(rest)))
                if not more:
                    return "", b""
                rest += more
            rest = rest[size:]
    return head.decode("latin-1"), rest


def answer(web: Web, peer: socket.socket, address: str, head: str) -> bool:
    """True if the connection stays open."""
    began = time.monotonic()
    with web.lock:
        web.busy += 1
    try:
        words = head.split("\r\n", 1)[0].split(" ")
        if len(words) != 3:
            return False
        method, target, protocol = words
        reply = respond(web, method, target, head)
        lower = head.lower()
        keep = protocol == "HTTP/1.1" and "connection: close" not in lower
        body = reply.body.encode()
        lines = f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, '')}\r\nContent-Type: {reply.content_type}\r\n"
        lines += f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n"
        lines += f"X-Pod: {web.pod}\r\n\r\n"
        say(f'{address} "{method} {target}" {reply.status} {(time.monotonic() - began) * 1000:.1f}ms')
        peer.sendall(lines.encode() + (b"" if method == "HEAD" else body))
        return keep
    finally:
        with web.lock:
            web.busy -= 1
            web.idle.notify_all()


def respond(web: Web, method: str, target: str, head: str) -> Answer:
    path, _, text = target.partition("?")
    try:
        if method not in ("GET", "HEAD", "POST"):
            raise Answer(405, "use GET or POST\n")
        return Answer(200, web.get(method, path, parse_query(text), head + "\n"))
    except Answer as found:
        return found
    except MemoryError:
        return Answer(500, "out of memory\n")


def parse_query(text: str) -> dict[str, str]:
    if not text:
        return {}
    from urllib.parse import parse_qsl

    return dict(parse_qsl(text, keep_blank_values=True))


def count_file(argv: list[str]) -> str:
    """Where /count keeps its number. In the process engine an absolute path lies below the container's root."""
    path = setting("COUNT_FILE", "count.txt")
    for number_, word in enumerate(argv):
        if word == "--count-file" and number_ + 1 < len(argv):
            path = argv[number_ + 1]
        elif word.startswith("--count-file="):
            path = word.partition("=")[2]
    root = os.environ.get("KUBELEARN_ROOT", "")
    if root and path.startswith("/") and not path.startswith(root + "/"):
        return root + path
    return path


class Stop(Exception):
    """SIGTERM or SIGINT came."""


def stop(number_: int, _frame: object) -> None:
    signal.signal(number_, signal.SIG_IGN)
    raise Stop


def main(argv: list[str]) -> int:
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        run(argv)
    except Stop:
        say("SIGTERM: goodbye")
    except OSError as error:
        say(f"cannot listen: {error}")
        return 1
    return 1 if setting("FAIL") == "1" else 0


def run(argv: list[str]) -> None:
    if setting("FAIL") == "1":
        say("FAIL=1: told to fail at the start")
        return
    web = Web(count_file(argv))
    delay = float(setting("START_DELAY", "0"))
    if delay:
        say(f"starting slowly: {delay:g} s")
        threading.Event().wait(delay)
    port = int(setting("PORT", "8080"))
    with socket.create_server(listen_address(port), backlog=128) as listener:
        say(f"web {web.version} ({web.color}) listens on port {port}")
        try:
            while True:
                peer, address = listener.accept()
                shown = shown_address(address[0])
                threading.Thread(target=serve, args=(web, peer, shown), daemon=True).start()
        except Stop:
            listener.close()
            with web.lock:
                say(f"SIGTERM: {web.busy} requests to finish")
                web.idle.wait_for(lambda: web.busy == 0, timeout=25)
            raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
