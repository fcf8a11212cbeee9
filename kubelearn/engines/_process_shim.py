"""The parent of one container's main process: it outlives the control plane, as containerd's shim does.

Run as `python -I -S _process_shim.py run DIR ROOT FD TTY STDIN MEMORY LIMITS -- ARGV…` with the container's environment, in
a session of its own. It starts ARGV in ROOT, tells FD `ok PID` or `error TEXT`, writes what comes out to DIR/log (the
CRI log format), serves DIR/sock (attach and log followers), and leaves DIR/exit behind. SIGTERM goes on to the main
process; SIGUSR1 kills the whole container. Nothing but this file and C modules is imported: each container pays for it.
`tty ARGV…` is its other use: take standard input as the controlling terminal, then become ARGV.
"""
# pathlib and contextlib would cost each container's start 10 ms:
# ruff: noqa: PTH104, PTH112, PTH123, PTH208, SIM105

from __future__ import annotations

import _signal as signals  # type: ignore[import-not-found]
import _socket
import errno
import fcntl
import os
import select
import struct
import sys
import time

LOG_LIMIT = 10 * 2**20
CHUNK = 65536
MEMORY_PERIOD_MS = 200


def start_time(pid: int) -> str:
    """Clock ticks since boot at which `pid` started: with the pid it names a process for good. Empty if unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return ""


def write_file(path: str, text: str) -> None:
    with open(path + ".new", "w", errors="surrogateescape") as file:
        file.write(text)
    os.rename(path + ".new", path)


class Log:
    """CRI log lines: `TIME STREAM F|P TEXT`; one older file is kept."""

    def __init__(self) -> None:
        self.partial = {1: b"", 2: b""}
        self.open()

    def open(self) -> None:
        self.fd = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.size = os.fstat(self.fd).st_size

    def write(self, stream: int, data: bytes) -> None:
        lines = (self.partial[stream] + data).split(b"\n")
        self.partial[stream] = lines.pop()
        out = b"".join(self.head(stream, b"F") + line + b"\n" for line in lines)
        if len(self.partial[stream]) > 16384:
            out += self.head(stream, b"P") + self.partial[stream] + b"\n"
            self.partial[stream] = b""
        self.append(out)

    def flush(self) -> None:
        for stream, rest in self.partial.items():
            if rest:
                self.append(self.head(stream, b"P") + rest + b"\n")
                self.partial[stream] = b""

    def head(self, stream: int, tag: bytes) -> bytes:
        seconds, nanos = divmod(time.time_ns(), 10**9)
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return f"{at}.{nanos:09d}Z {'stdout' if stream == 1 else 'stderr'} ".encode() + tag + b" "

    def append(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        self.size = os.fstat(self.fd).st_size
        if self.size > LOG_LIMIT:
            os.close(self.fd)
            os.rename("log", "log.1")
            self.open()


class Client:
    """Who is connected to the socket; the first byte says for what: `a`ttach or `f`ollow the log."""

    def __init__(self, socket: _socket.socket) -> None:
        self.socket = socket
        self.mode = b""
        self.unread = b""


class Shim:
    """The loop around one main process. Its descriptors: what the process writes, the socket, its clients."""

    def __init__(
        self, root: str, report: int, tty: bool, stdin: bool, memory: int, limits: str, argv: list[str]
    ) -> None:
        self.root, self.report, self.argv = root, report, argv
        self.tty, self.stdin, self.memory, self.limits = tty, stdin, memory, limits
        self.oom = False
        self.log = Log()
        self.poll = select.poll()
        self.outputs: dict[int, int] = {}  # descriptor -> stream
        self.clients: dict[int, Client] = {}
        self.input = -1
        self.wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self.wake, False)
        signals.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signals.SIGTERM, signals.SIGINT, signals.SIGUSR1, signals.SIGCHLD):
            signals.signal(number, lambda *_: None)
        signals.signal(signals.SIGHUP, signals.SIG_IGN)
        self.poll.register(self.wake, select.POLLIN)

    def listen(self) -> None:
        self.server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        os.set_inheritable(self.server.fileno(), False)
        self.server.bind("sock")
        self.server.listen(16)
        self.server.setblocking(False)
        self.poll.register(self.server.fileno(), select.POLLIN)

    def spawn(self) -> bool:
        """Start the main process; True once it has become ARGV."""
        if self.tty:
            master, slave = os.openpty()
            child_fds, mine = (slave, slave, slave), {master: 1}
            self.input = master
        else:
            out, err = os.pipe(), os.pipe()
            if self.stdin:
                given, self.input = os.pipe()
            else:
                given = os.open(os.devnull, os.O_RDONLY)
            child_fds, mine = (given, out[1], err[1]), {out[0]: 1, err[0]: 2}
        failed, failing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.become(child_fds, failing)
        for fd in {*child_fds, failing}:
            os.close(fd)
        for fd in mine:
            self.poll.register(fd, select.POLLIN)
        self.outputs = mine
        problem = os.read(failed, CHUNK)
        os.close(failed)
        if problem:
            os.waitpid(self.pid, 0)
            os.write(self.report, b"error " + problem)
            return False
        mine_start, its_start = start_time(os.getpid()), start_time(self.pid)
        write_file("shim", f"{os.getpid()} {mine_start or '-'} {self.pid} {its_start or '-'} {time.time()}")
        os.write(self.report, b"ok %d" % self.pid)
        os.close(self.report)
        return True

    def become(self, fds: tuple[int, int, int], failing: int) -> None:
        """In the child: never returns."""
        try:
            os.setsid()
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
            if self.tty:
                fcntl.ioctl(0, 0x540E if sys.platform == "linux" else 0x20007461, 0)
            for number in (signals.SIGTERM, signals.SIGINT, signals.SIGUSR1, signals.SIGCHLD, signals.SIGPIPE):
                signals.signal(number, signals.SIG_DFL)
            signals.signal(signals.SIGHUP, signals.SIG_DFL)
            os.chdir(self.root)
            restrict(self.limits)
            os.execvp(self.argv[0], self.argv)
        except OSError as error:
            os.write(failing, explain(self.argv[0], error).encode())
        finally:
            os._exit(128)

    def run(self) -> int:
        code = None
        while code is None:
            for fd, _ in self.poll.poll(MEMORY_PERIOD_MS if self.memory else None):
                self.handle(fd)
                if fd == self.wake:
                    code = self.signalled()
            if self.memory and not self.oom and self.used(self.pid) > self.memory:
                self.oom = True
                self.kill()
        self.kill()
        self.sweep()
        deadline = time.monotonic() + 0.3
        while self.outputs and time.monotonic() < deadline:
            for fd, _ in self.poll.poll(50):
                self.handle(fd)
        self.log.flush()
        return code

    def signalled(self) -> int | None:
        for number in os.read(self.wake, 512):
            if number in (signals.SIGTERM, signals.SIGINT):
                self.send(signals.SIGTERM)
            elif number == signals.SIGUSR1:
                self.kill()
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return None if pid == 0 else os.waitstatus_to_exitcode(status)

    def send(self, number: int) -> None:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def kill(self) -> None:
        try:
            os.killpg(self.pid, signals.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def sweep(self) -> None:
        """Kill what left the process group: everything that carries this container's environment."""
        mark = b"KUBELEARN_CONTAINER_ID=" + os.environb.get(b"KUBELEARN_CONTAINER_ID", b"?")
        for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
            if entry.isdigit() and int(entry) != os.getpid():
                try:
                    with open(f"/proc/{entry}/environ", "rb") as file:
                        if mark in file.read().split(b"\0"):
                            os.kill(int(entry), signals.SIGKILL)
                except OSError:
                    continue

    def used(self, pid: int | str) -> int:
        """Resident bytes of a process and its descendants."""
        try:
            with open(f"/proc/{pid}/statm") as file:
                total = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                return total + sum(self.used(child) for child in file.read().split())
        except OSError:
            return 0

    def handle(self, fd: int) -> None:
        if fd in self.outputs:
            self.output(fd)
        elif fd in self.clients:
            self.client(fd)
        elif fd == self.server.fileno():
            raw, _ = self.server._accept()  # type: ignore[attr-defined]
            client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, raw)
            client.setblocking(False)
            self.clients[raw] = Client(client)
            self.poll.register(raw, select.POLLIN)

    def output(self, fd: int) -> None:
        try:
            data = os.read(fd, CHUNK)
        except OSError:  # a terminal whose other side is closed says EIO
            data = b""
        stream = self.outputs[fd]
        if not data:
            self.poll.unregister(fd)
            del self.outputs[fd]
            return
        self.log.write(stream, data)
        for number, client in list(self.clients.items()):
            if client.mode == b"a":
                self.tell(number, struct.pack("!BI", stream, len(data)) + data)
            elif client.mode == b"f":
                self.tell(number, b"\n", lossy=True)

    def tell(self, number: int, data: bytes, lossy: bool = False) -> None:
        client = self.clients[number].socket
        try:
            if not lossy:
                client.settimeout(2)  # a reader that stands still for two seconds is let go
            client.sendall(data)
        except BlockingIOError:
            pass
        except OSError:
            self.drop(number)
            return
        client.setblocking(False)

    def drop(self, number: int) -> None:
        self.poll.unregister(number)
        self.clients.pop(number).socket.close()

    def client(self, number: int) -> None:
        client = self.clients[number]
        try:
            data = client.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(number)
            return
        if not client.mode:
            client.mode, data = data[:1], data[1:]
            if client.mode == b"f":
                self.tell(number, b"\n")  # there may be more than it saw before we knew of it
        client.unread += data
        while len(client.unread) >= 5:
            channel, size = struct.unpack("!BI", client.unread[:5])
            if len(client.unread) < 5 + size:
                return
            body, client.unread = client.unread[5 : 5 + size], client.unread[5 + size :]
            self.command(channel, body)

    def command(self, channel: int, body: bytes) -> None:
        if self.input < 0:
            return
        if channel == 0:
            try:
                os.write(self.input, body)
            except OSError:
                self.input = -1
        elif channel == 255 and not self.tty:
            os.close(self.input)
            self.input = -1
        elif channel == 4 and self.tty:
            width, height = struct.unpack("!HH", body)
            fcntl.ioctl(self.input, 0x5414, struct.pack("HHHH", height, width, 0, 0))


def restrict(limits: str) -> None:
    """Give up privileges for good: `n` no new ones by exec, numbers are capabilities. As root only has any to drop."""
    if limits == "-":
        return
    from ctypes import CDLL  # 10 ms, paid by those who ask for it

    prctl = CDLL(None).prctl
    for word in limits.split(","):
        if word != "n" and os.getuid() == 0:
            prctl(24, int(word), 0, 0, 0)  # PR_CAPBSET_DROP; a kernel that does not know it has nothing to drop
    if limits.startswith("n"):
        prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS


def explain(program: str, error: OSError) -> str:
    """runc's words for a program that cannot be started."""
    if error.errno == errno.ENOENT:
        where = "no such file or directory" if "/" in program else "executable file not found in $PATH"
        return f'exec: "{program}": {"stat " + program + ": " if "/" in program else ""}{where}'
    return f'exec: "{program}": {(error.strerror or str(error)).lower()}'


def run(argv: list[str]) -> None:
    folder, root, report, tty, stdin, memory = argv[:6]
    limits = argv[6]
    os.chdir(folder)
    os.set_inheritable(int(report), False)
    shim = Shim(root, int(report), tty == "1", stdin == "1", int(memory), limits, argv[8:])
    shim.listen()
    if not shim.spawn():
        return
    code = shim.run()
    code = 128 - code if code < 0 else code
    reason = "OOMKilled" if shim.oom else "Completed" if code == 0 else "Error"
    write_file("exit", f"{code} {time.time()} {reason}")


def tty(argv: list[str]) -> None:
    fcntl.ioctl(0, 0x540E if sys.platform == "linux" else 0x20007461, 0)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, explain(argv[0], error).encode() + b"\n")
        os._exit(127 if error.errno == errno.ENOENT else 126)


if __name__ == "__main__":
    (run if sys.argv[1] == "run" else tty)(sys.argv[2:])
