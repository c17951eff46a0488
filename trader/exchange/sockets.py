"""A small HTTP/1.1 server for loopback.

Here: bytes in, `Request` out; `Reply` in, bytes out, in one send per response, with keep-alive, a
thread per connection, and the ways in which a faulty reply leaves (late, dropped, reset, dribbled,
cut, held). Not here: what is answered.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from trader.exchange.wire import Reply, Request

_HEAD_BYTES_MAX = 65_536
_BODY_BYTES_MAX = 1_048_576
_REASONS = {
    200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 413: "Payload Too Large",
    418: "I'm a teapot", 429: "Too Many Requests", 451: "Unavailable For Legal Reasons",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip


class _Unreadable(Exception):
    """The client's bytes are no request that this server understands."""


class Gates:
    """Named gates at which held replies wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, int] = {}
        self._opened: dict[str, int] = {}
        self._closing = False

    def wait(self, name: str) -> bool:
        """Block until the gate is opened; False if the server is closing."""
        with self._changed:
            seen = self._opened.get(name, 0)
            self._waiting[name] = self._waiting.get(name, 0) + 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closing or self._opened.get(name, 0) > seen)
            self._waiting[name] -= 1
            return not self._closing

    def open(self, name: str) -> int:
        """Let everyone who waits at the gate go on; how many."""
        with self._changed:
            self._opened[name] = self._opened.get(name, 0) + 1
            self._changed.notify_all()
            return self._waiting.get(name, 0)

    def waiting(self) -> dict[str, int]:
        """How many replies are held at each gate."""
        with self._changed:
            return {name: count for name, count in self._waiting.items() if count}

    def close(self) -> None:
        """The server ends: nobody waits any longer."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()


class SocketServer:
    """Listens on 127.0.0.1 and answers through `respond`. Port 0 picks a free one."""

    def __init__(self, respond: Callable[[Request], Reply], port: int, gates: Gates) -> None:
        self._respond = respond
        self._gates = gates
        self._stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind(("127.0.0.1", port))
            self._listener.listen(128)
        except OSError:
            self._listener.close()
            raise
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Accept connections on a thread of its own."""
        threading.Thread(target=self._accept, name="exchange-accept", daemon=True).start()

    def stop(self) -> None:
        """Close the listener and every connection; waiting replies are given up."""
        self._stopping.set()
        self._gates.close()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._converse(connection)
            except _Unreadable as error:
                with contextlib.suppress(OSError):
                    connection.sendall(_encode(Reply(400, str(error).encode())))
            except OSError:
                return  # the client went away: its matter, not ours
            finally:
                self._connections.discard(connection)

    def _converse(self, connection: socket.socket) -> None:
        pending = b""
        while (read := _read_request(connection, pending)) is not None:
            request, pending = read
            wants_close = request.headers.get("connection", "").lower() == "close"
            if not self._send(connection, self._respond(request)) or wants_close:
                return

    def _send(self, connection: socket.socket, reply: Reply) -> bool:
        """Whether the connection goes on."""
        sending = reply.sending
        if sending.delay_ms and self._stopping.wait(sending.delay_ms / 1000):
            return False
        if sending.mode == "hold" and not self._gates.wait(sending.gate):
            return False
        if sending.mode in ("drop", "reset"):
            if sending.mode == "reset":
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._seen(reply)
            return False
        last = _encode(reply)
        if sending.mode == "dribble":
            for position in range(len(last) - 1):
                connection.sendall(last[position : position + 1])
                if self._stopping.wait(sending.gap_ms / 1000):
                    return False
            last = last[-1:]
        elif sending.mode == "cut":
            last = last[: len(last) - len(reply.body) + sending.cut_bytes]
        # Counted before the last bytes leave, else a quick client could ask before it is counted.
        self._seen(reply)
        try:
            connection.sendall(last)
        except OSError:
            self._seen(reply, -1)
            raise
        return sending.mode != "cut"

    @staticmethod
    def _seen(reply: Reply, count: int = 1) -> None:
        if reply.sending.observed is not None:
            reply.sending.observed(count)


def _read_request(connection: socket.socket, pending: bytes) -> tuple[Request, bytes] | None:
    """The next request and the bytes after it; None when the client has closed."""
    while (end := pending.find(b"\r\n\r\n")) < 0:
        if len(pending) > _HEAD_BYTES_MAX:
            raise _Unreadable("request head too large")
        more = connection.recv(65_536)
        if not more:
            return None
        pending += more
    lines = pending[:end].decode("latin-1").split("\r\n")
    pending = pending[end + 4 :]
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _Unreadable("not an HTTP/1 request line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if words[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    length_text = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length_text.isdigit():
        raise _Unreadable("a body needs a content-length")
    length = int(length_text)
    if length > _BODY_BYTES_MAX:
        raise _Unreadable("request body too large")
    while len(pending) < length:
        more = connection.recv(65_536)
        if not more:
            return None
        pending += more
    path, _, query = words[1].partition("?")
    return Request(words[0], path, query, headers, pending[:length]), pending[length:]


def _encode(reply: Reply) -> bytes:
    head = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Status')}"]
    names = {name.lower() for name, _ in reply.headers}
    if "content-type" not in names:
        head.append("Content-Type: application/json;charset=UTF-8")
    head += [f"{name}: {value}" for name, value in reply.headers]
    if "content-length" not in names:
        head.append(f"Content-Length: {len(reply.body)}")
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + reply.body
