"""A loopback server that says exactly what a test tells it to, byte for byte.

It answers a listing of one instrument by itself, so that a venue can be opened against it.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

LISTING = {
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
            "isSpotTradingAllowed": True,
            "permissions": ["SPOT"],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000",
                 "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000",
                 "stepSize": "0.001"},
                {"filterType": "NOTIONAL", "minNotional": "5"},
            ],
        }
    ]
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Say:
    """What to do with a request.

    mode: normal, close (no byte), reset, hang (until the server stops), dribble (a byte every
    50 ms for ever), cut (half of the body, then close), unended (all of it, but no end).
    """

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    mode: str = "normal"


def said(body: Any, status: int = 200, **headers: str) -> Say:
    """A JSON answer; header names are written with underscores."""
    more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Say(status, json.dumps(body), (("Content-Type", "application/json"), *more))


def error(code: int, msg: str, status: int = 400, **headers: str) -> Say:
    """The venue's own error."""
    return said({"code": code, "msg": msg}, status, **headers)


@dataclass
class Scripted:
    """The running server: `answer` and `listing` may be changed; `asked` is what came."""

    port: int
    answer: Callable[[Asked], Say]
    asked: list[Asked] = field(default_factory=list[Asked], repr=False)
    listing: Say = field(default_factory=lambda: said(LISTING))

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def count(self, method: str, path: str) -> int:
        """How often something was asked."""
        return sum(1 for one in self.asked if (one.method, one.path) == (method, path))


@contextmanager
def scripted(answer: Callable[[Asked], Say]) -> Generator[Scripted]:
    """Serve until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Scripted(listener.getsockname()[1], answer)
    stop = threading.Event()
    threading.Thread(target=_accept, args=(listener, server, stop), daemon=True).start()
    try:
        yield server
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, server: Scripted, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        args = (connection, server, stop)
        threading.Thread(target=_serve, args=args, daemon=True).start()


def _serve(connection: socket.socket, server: Scripted, stop: threading.Event) -> None:
    with suppress(OSError), connection, connection.makefile("rb") as incoming:
        while not stop.is_set():
            first = incoming.readline().decode()
            if not first:
                return
            headers: dict[str, str] = {}
            while (line := incoming.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = incoming.read(int(headers.get("content-length", "0"))).decode()
            method, target, _ = first.split(" ")
            path, _, query = target.partition("?")
            asked = Asked(method, path, query, body, headers)
            server.asked.append(asked)
            listing = path == "/api/v3/exchangeInfo"
            say = server.listing if listing else server.answer(asked)
            if not _send(connection, say, stop):
                return


def _send(connection: socket.socket, say: Say, stop: threading.Event) -> bool:
    """Send an answer; whether the connection goes on."""
    if say.mode == "close":
        return False
    if say.mode == "reset":
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False
    if say.mode == "hang":
        stop.wait(30)
        return False
    body = say.body.encode()
    lines = [f"HTTP/1.1 {say.status} Some", *(f"{name}: {value}" for name, value in say.headers)]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
    if say.mode == "unended":
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        stop.wait(30)
        return False
    if say.mode == "dribble":
        while not stop.wait(0.05):
            connection.sendall(b"H" if head[:1] == b"H" else b"x")
            head = head[1:] or b"x"
        return False
    if say.mode == "cut":
        connection.sendall(head + body[: len(body) // 2])
        return False
    connection.sendall(head + body)
    return True
