"""The connections of one ccxt instance: where they may go, how long they may take, what left.

Lives here: a `requests.Session` that refuses foreign hosts and redirects, knows whether any byte
of a request has left, remembers the last reply, and can be cut from another thread. The import of
this module imports `requests`: it is loaded beside ccxt, never on its own. Must not live here:
what an answer means.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from requests import Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ReadTimeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from trader.venues.dialect import Reply
from trader.venues.outcomes import Barred
from trader.venues.watchdog import Watchdog

# What a connection may raise besides ccxt's own errors. requests' errors are OSErrors.
WIRE_ERRORS: tuple[type[Exception], ...] = (OSError, HTTPException, HTTPError)

# Its debug lines show whole URLs, signatures included, to whoever turns logging on.
logging.getLogger("urllib3").setLevel(logging.WARNING)


class Wire:
    """State of one ccxt instance's connection, shared with whoever cuts it.

    Attributes:
        left: whether a byte of the newest request may have left this process.
        reply: the newest request's answer, None while there is none.
    """

    def __init__(
        self,
        hosts: frozenset[str],
        watchdog: Watchdog,
        may_send: Callable[[], float],
    ) -> None:
        """`may_send` returns the seconds that the request may take in all, or raises Barred."""
        self.hosts = hosts
        self.left = False
        self.reply: Reply | None = None
        self._inspect: Callable[[str, str, str], None] | None = None
        self._watchdog = watchdog
        self._may_send = may_send
        self._socket: socket.socket | None = None
        self._cut = False
        # Re-entrant: a signal handler may cut while its own thread holds it.
        self._lock = threading.RLock()

    def begin(self, inspect: Callable[[str, str, str], None] | None) -> None:
        """A new call starts: nothing has left, nothing was answered."""
        self.left = False
        self.reply = None
        self._inspect = inspect

    def check(self, method: str, url: str, body: str) -> float:
        """Seconds this request may take; raises Barred when it must not leave at all."""
        host = urlsplit(url).netloc
        if host not in self.hosts:
            raise Barred("wrong_host", f"host {host}: requests may go to {sorted(self.hosts)}")
        seconds = self._may_send()
        if self._inspect is not None:
            self._inspect(method, url, body)
        return seconds

    def sending(self, sock: socket.socket | None) -> None:
        """The request starts to leave on this connection."""
        with self._lock:
            self.left = True
            self._socket = sock
            cut = self._cut
        if cut and sock is not None:
            _shut(sock)

    def guard(self, seconds: float) -> int:
        """Cut this request after so long, whatever it is waiting for; returns a token."""
        with self._lock:
            self._cut = False
            self._socket = None
        return self._watchdog.arm(seconds, self.cut)

    def release(self, token: int) -> bool:
        """The request is over; whether it was cut."""
        self._watchdog.disarm(token)
        with self._lock:
            self._socket = None
            return self._cut

    @property
    def cut_short(self) -> bool:
        """Whether the request under way was cut."""
        with self._lock:
            return self._cut

    def cut(self) -> None:
        """End the request under way: the thread that waits for it gets an error."""
        with self._lock:
            self._cut = True
            sock = self._socket
        if sock is not None:
            _shut(sock)


def _shut(sock: socket.socket) -> None:
    """Shut a connection so that a read in another thread returns; TLS state is left alone."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already, which is what was wanted


class WireSession(Session):
    """What ccxt sends its requests through."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.trust_env = False
        self.wire = wire
        self.mount("http://", _WireAdapter(wire))
        self.mount("https://", _WireAdapter(wire))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """One request: no redirects, no foreign host, one time limit for all of it.

        Raises Barred before anything leaves, or what `requests` raises.
        """
        wire = self.wire
        body = kwargs.get("data") or b""
        text = body.decode("utf-8") if isinstance(body, bytes) else str(body)
        seconds = wire.check(str(method), str(url), text)
        kwargs["timeout"] = (seconds, seconds)
        kwargs["allow_redirects"] = False
        token = wire.guard(seconds)
        response: Response | None = None
        try:
            response = super().request(method, url, *args, **kwargs)
        except WIRE_ERRORS as error:
            if wire.cut_short:
                raise ReadTimeout(f"no answer within {seconds:.3f} s") from error
            raise
        finally:
            cut = wire.release(token)
        if cut:
            # What was read before the cut may look whole: it is not to be believed.
            raise ReadTimeout(f"no complete answer within {seconds:.3f} s")
        return response


class _WireAdapter(HTTPAdapter):
    """Makes connections that tell their wire when something leaves."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        super().__init__(pool_connections=2, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pools of watched connections."""
        super().init_poolmanager(*args, **kwargs)
        wire = self._wire

        class Plain(HTTPConnection):
            def send(self, data: Any) -> None:
                if self.sock is None:
                    self.connect()
                wire.sending(self.sock)
                super().send(data)

        class Tls(HTTPSConnection):
            def send(self, data: Any) -> None:
                if self.sock is None:
                    self.connect()
                wire.sending(self.sock)
                super().send(data)

        # Made by `type`, because urllib3 declares the attribute with more than it needs.
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain}),
            "https": type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": Tls}),
        }
