"""Network tools for pods, in one multi-call file as busybox is: wget, nc, nslookup, hostname.

They connect directly, or, in kubelearn's process engine, through the node's forward proxy (ALL_PROXY, SOCKS5 with
names looked up by the proxy), from the pod's own address, so that the other side sees which pod calls. Options and
messages follow busybox; what is not supported is refused. Standard library only.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys

PREFIX = os.environ.get("KUBELEARN_UNDERLAY", "")
OWN_IP = os.environ.get("KUBELEARN_POD_IP", "")
REPLIES = {3: "Network unreachable", 4: "bad address", 5: "Connection refused", 6: "Operation timed out"}
RECORD_TYPES = {"A": 1, "PTR": 12, "SRV": 33, "AAAA": 28}


class Failure(Exception):
    """Ends the tool with a message; `code` is its exit status."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def own_address() -> str:
    """This pod's socket address; only with an underlay."""
    return PREFIX + "." + OWN_IP.split(".", 2)[2]


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Raises Failure with busybox's words."""
    proxy = os.environ.get("ALL_PROXY", "")
    try:
        if PREFIX and host in ("localhost", "127.0.0.1", OWN_IP):
            here = (own_address(), port + 61000 if port < 1024 else port)
            return socket.create_connection(here, seconds, (own_address(), 0))
        if proxy.startswith("socks5"):
            return through(proxy, host, port, seconds)
        return socket.create_connection((host, port), seconds)
    except socket.gaierror:
        raise Failure(f"bad address '{host}'") from None
    except TimeoutError:
        raise Failure("download timed out" if seconds else "Operation timed out") from None
    except OSError as error:
        raise Failure(f"can't connect to remote host ({host}): {error.strerror or error}") from None


def through(proxy: str, host: str, port: int, seconds: float) -> socket.socket:
    """A SOCKS5 CONNECT (RFC 1928) by name."""
    who, _, where = proxy.partition("://")[2].rstrip("/").rpartition("@")
    proxy_host, _, proxy_port = where.rpartition(":")
    source = (own_address(), 0) if PREFIX else None
    peer = socket.create_connection((proxy_host, int(proxy_port)), seconds, source)
    name = host.encode()
    peer.sendall(b"\x05\x01" + (b"\x02" if who else b"\x00"))
    exactly(peer, 2)
    if who:
        user, _, password = (part.encode() for part in who.partition(":"))
        peer.sendall(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        exactly(peer, 2)
    peer.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big"))
    answer = exactly(peer, 4)
    exactly(peer, 6 if answer[3] == 1 else 18)
    if answer[1] == 4:
        raise Failure(f"bad address '{host}'")
    if answer[1]:
        raise OSError(REPLIES.get(answer[1], "No route to host"))
    return peer


def exactly(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = peer.recv(size - len(data))
        if not more:
            raise OSError("Connection reset by peer")
        data += more
    return data


def options(argv: list[str], flags: str, valued: str) -> tuple[dict[str, str], list[str]]:
    """Short options as getopt reads them; long ones (--name[=value]) by full name."""
    found: dict[str, str] = {}
    rest = []
    words = iter(argv)
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, _, value = word[2:].partition("=")
            found[name] = value
        elif word.startswith("-") and len(word) > 1 and not word[1:].isdigit():
            for at, letter in enumerate(word[1:], 1):
                if letter in valued:
                    found[letter] = word[at + 1 :] or next(words, "")
                    break
                if letter not in flags:
                    raise Failure(f"invalid option -- '{letter}'")
                found[letter] = ""
        else:
            rest.append(word)
    return found, rest


def wget(argv: list[str]) -> int:
    """wget [-q] [-S] [-O FILE] [-T SECONDS] [--header H] [--post-data D] URL"""
    found, urls = options(argv, "qSc", "OTt")
    if len(urls) != 1:
        raise Failure("usage: wget [-qS] [-O FILE] [-T SECONDS] [--header H] [--post-data D] URL")
    quiet = "q" in found
    rest = urls[0].removeprefix("http://")
    if rest.partition("://")[0].isalpha() and "://" in rest:
        raise Failure(f"not an http url: {urls[0]}")
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    body = found.get("post-data", "").encode()
    head = f"{'POST' if 'post-data' in found else 'GET'} /{path} HTTP/1.1\r\nHost: {authority}\r\n"
    head += "User-Agent: Wget\r\nConnection: close\r\n" + (f"{found['header']}\r\n" if "header" in found else "")
    head += f"Content-Length: {len(body)}\r\n\r\n" if body else "\r\n"
    if not quiet:
        sys.stderr.write(f"Connecting to {authority}\n")
    with connect(host, int(port or 80), float(found.get("T") or found.get("timeout") or 900)) as peer:
        status, headers, data = exchange(peer, head.encode() + body)
    if "S" in found:
        sys.stderr.write("".join(f"  {line}\n" for line in headers))
    if status >= 400:
        raise Failure(f"server returned error: {headers[0]}")
    save(found.get("O", ""), path, data, quiet)
    return 0


def exchange(peer: socket.socket, request: bytes) -> tuple[int, list[str], bytes]:
    """Status, header lines and body."""
    data = b""
    try:
        peer.sendall(request)
        while more := peer.recv(65536):
            data += more
    except TimeoutError:
        raise Failure("download timed out") from None
    except OSError as error:
        if not data:
            raise Failure(f"error getting response: {error.strerror}") from None
    head, _, body = data.partition(b"\r\n\r\n")
    headers = head.decode("latin-1").split("\r\n")
    words = headers[0].split(" ")
    if len(words) < 2 or not words[1].isdigit():
        raise Failure("error getting response")
    if any(h.lower().replace(" ", "") == "transfer-encoding:chunked" for h in headers):
        body = unchunk(body)
    return int(words[1]), headers, body


def unchunk(data: bytes) -> bytes:
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        if not length:
            break
        out, data = out + data[:length], data[length + 2 :]
    return out


def save(target: str, path: str, data: bytes, quiet: bool) -> None:
    if target == "-":
        sys.stdout.buffer.write(data)
        return
    name = target or path.rpartition("/")[2].partition("?")[0] or "index.html"
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(data)
    if not quiet:
        sys.stderr.write(f"'{name}' saved\n")


def nc(argv: list[str]) -> int:
    """nc [-zv] [-w SECONDS] HOST PORT, or nc -l [-p] PORT"""
    found, rest = options(argv, "zvnl", "wp")
    seconds = float(found.get("w") or 0) or None
    if "l" in found:
        port = int(found.get("p") or (rest or ["0"])[-1])
        with socket.create_server(
            (own_address() if PREFIX else "0.0.0.0", port + 61000 if PREFIX and port < 1024 else port)
        ) as listener:
            relay(listener.accept()[0], None)
        return 0
    if len(rest) != 2 or not rest[1].isdigit():
        raise Failure("usage: nc [-zv] [-w SECONDS] HOST PORT | nc -l -p PORT")
    peer = connect(rest[0], int(rest[1]), seconds or 900)
    if "v" in found:
        sys.stderr.write(f"{rest[0]} ({rest[0]}:{rest[1]}) open\n")
    if "z" not in found:
        relay(peer, seconds)
    return 0


def relay(peer: socket.socket, seconds: float | None) -> None:
    """Standard input to the peer, the peer to standard output, until the peer ends (or is silent for `seconds`)."""
    sources: list[socket.socket | int] = [peer, 0]
    peer.settimeout(None)
    while True:
        ready, _, _ = select.select(sources, [], [], seconds)
        if not ready:
            return
        if peer in ready:
            data = peer.recv(65536)
            if not data:
                return
            os.write(1, data)
        if 0 in ready:
            typed = os.read(0, 65536)
            if typed:
                peer.sendall(typed)
            else:
                sources.remove(0)
                peer.shutdown(socket.SHUT_WR)


def nameserver() -> tuple[str, list[str]]:
    """The DNS server's address and the search domains: from the process engine, or from resolv.conf."""
    server, search = os.environ.get("KUBELEARN_NAMESERVER", ""), os.environ.get("KUBELEARN_SEARCH", "").split()
    if not server:
        with open("/etc/resolv.conf") as file:  # noqa: PTH123
            for words in map(str.split, file):
                if words[:1] == ["nameserver"]:
                    server = server or words[1]
                elif words[:1] == ["search"]:
                    search = words[1:]
    return server, search


def nslookup(argv: list[str]) -> int:
    """nslookup [-type=A|AAAA|SRV|PTR] NAME [SERVER]"""
    kind = "A"
    rest = []
    for word in argv:
        name, _, value = word.lstrip("-").partition("=")
        if word.startswith("-") and name in ("type", "querytype", "q"):
            kind = value.upper()
        else:
            rest.append(word)
    if not rest or kind not in RECORD_TYPES:
        raise Failure("usage: nslookup [-type=A|AAAA|SRV|PTR] NAME [SERVER]")
    server, search = nameserver()
    server = rest[1] if len(rest) > 1 else server
    print_line(f"Server:\t\t{server}\nAddress:\t{server}:53\n")
    name = rest[0].rstrip(".")
    absolute = rest[0].endswith(".")
    tried = [] if absolute else [f"{name}.{domain}" for domain in search]
    for candidate in [*tried, name] if name.count(".") < 5 else [name, *tried]:
        records = query(server, candidate, RECORD_TYPES[kind])
        if records:
            for record in records:
                print_line(f"Name:\t{candidate}\n{record}" if kind == "A" else record)
            return 0
    print_line(f"** server can't find {name}: NXDOMAIN\n")
    return 1


def print_line(text: str) -> None:
    sys.stdout.write(text + "\n")


def query(server: str, name: str, kind: int) -> list[str]:
    """Ask over TCP, which the forward proxy carries too. Lines to print; empty for a name that is not there."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)
    with connect(server, 53, 5) as peer:
        peer.sendall(struct.pack("!H", len(question)) + question)
        try:
            data = exactly(peer, struct.unpack("!H", exactly(peer, 2))[0])
        except OSError as error:
            raise Failure(f"no answer from {server}: {error}") from None
    count = struct.unpack("!H", data[6:8])[0]
    at = read_name(data, 12)[1] + 4
    out = []
    for _ in range(count):
        owner, at = read_name(data, at)
        found, _, _, size = struct.unpack("!HHIH", data[at : at + 10])
        at += 10
        out.append(show(data, at, owner, found))
        at += size
    return out


def show(data: bytes, at: int, owner: str, kind: int) -> str:
    if kind == 1:
        return "Address: " + ".".join(map(str, data[at : at + 4]))
    if kind == 33:
        priority, weight, port = struct.unpack("!HHH", data[at : at + 6])
        return f"{owner}\tservice = {priority} {weight} {port} {read_name(data, at + 6)[0]}"
    if kind == 28:
        return "Address: " + socket.inet_ntop(socket.AF_INET6, data[at : at + 16])
    return f"{owner}\tname = {read_name(data, at)[0]}"


def read_name(data: bytes, at: int) -> tuple[str, int]:
    """A possibly compressed name, and where what follows it starts."""
    labels, after = [], 0
    while data[at]:
        if data[at] >= 0xC0:
            after = after or at + 2
            at = struct.unpack("!H", data[at : at + 2])[0] & 0x3FFF
            continue
        labels.append(data[at + 1 : at + 1 + data[at]].decode(errors="replace"))
        at += data[at] + 1
    return ".".join(labels), after or at + 1


def hostname(argv: list[str]) -> int:
    """hostname [-i]"""
    print_line(OWN_IP if argv == ["-i"] and OWN_IP else os.environ.get("HOSTNAME") or socket.gethostname())
    return 0


APPLETS = {"wget": wget, "nc": nc, "nslookup": nslookup, "hostname": hostname}


def main(argv: list[str]) -> int:
    name = argv[0].rpartition("/")[2]
    if name not in APPLETS:
        argv = argv[1:]
        name = argv[0] if argv else ""
    if name not in APPLETS:
        sys.stderr.write(f"usage: tools.py {'|'.join(APPLETS)} …\n")
        return 2
    try:
        return APPLETS[name](argv[1:])
    except Failure as error:
        sys.stderr.write(f"{name}: {error}\n")
        return error.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv))
