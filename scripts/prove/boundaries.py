"""Boundaries: where a process can be killed between two effects on the world.

Lives here: wrapping, in a forked child, every SQL statement, fsync, write and rename of the journal
and every HTTP send and receive, so that the child can end itself by SIGKILL before or after any of
them. Must not live here: what is checked afterwards.
"""

from __future__ import annotations

import http.client
import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any


class Boundaries:
    """Names boundaries in this process; when the one called `kill_at` is passed for the `nth` time
    (from 1), the process kills itself.

    `names` lists the boundaries in the order they were passed.
    """

    def __init__(self, kill_at: str = "", nth: int = 1) -> None:
        self.kill_at = kill_at
        self.left = nth
        self.names: list[str] = []

    def install(self) -> None:
        """Wrap the effects of this process; there is no way back, so fork first."""
        self._wrap_sqlite()
        for name in ("fsync", "pwrite", "replace"):
            setattr(os, name, self._around(name, getattr(os, name)))
        self._wrap_http()

    def passed(self, name: str) -> None:
        """One boundary; the last thing this process does when it is the chosen one."""
        self.names.append(name)
        if name != self.kill_at:
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.passed(f"before {name}")
            result = inner(*args, **kwargs)
            self.passed(f"after {name}")
            return result

        return wrapped

    def _wrap_sqlite(self) -> None:
        passed = self.passed

        class Traced(sqlite3.Connection):
            def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
                name = _statement(sql)
                passed(f"before {name}")
                cursor = super().execute(sql, *args)
                passed(f"after {name}")
                return cursor

        connect = sqlite3.connect

        def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            return connect(*args, **{**kwargs, "factory": Traced})

        sqlite3.connect = traced  # type: ignore[assignment]  # a child's own copy of the module

    def _wrap_http(self) -> None:
        passed = self.passed
        send, begin = http.client.HTTPConnection.send, http.client.HTTPResponse.begin

        def traced_send(connection: http.client.HTTPConnection, data: Any) -> None:
            name = _request(data)
            passed(f"before send {name}")
            send(connection, data)
            passed(f"after send {name}")

        def traced_begin(response: http.client.HTTPResponse) -> None:
            passed("before receive")
            begin(response)
            passed("after receive")

        http.client.HTTPConnection.send = traced_send  # type: ignore[method-assign] # traced on purpose
        http.client.HTTPResponse.begin = traced_begin  # type: ignore[method-assign] # traced on purpose


def _statement(sql: str) -> str:
    words = sql.replace("(", " ").split()
    verb = words[0].upper()
    if verb == "INSERT":
        return f"INSERT {words[words.index('INTO') + 1]}" if "INTO" in words else "INSERT"
    if verb in {"SELECT", "PRAGMA", "CREATE", "UPDATE"}:
        return f"{verb} {words[1]}" if verb == "UPDATE" else verb
    return verb


def _request(data: Any) -> str:
    head = bytes(data[:80]) if isinstance(data, bytes | bytearray) else b"body"
    if not head.startswith((b"GET ", b"POST ", b"DELETE ")):
        return "body"
    method, path = head.split(b" ", 2)[:2]
    return f"{method.decode()} {path.split(b'?')[0].decode()}"
