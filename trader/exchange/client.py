"""A tiny client of the admin plane, for tests, proofs and the demo.

Here: one method per thing the admin plane can do, over plain HTTP from the standard library. Not
here: any way to trade as a customer; that is what a real exchange client is for.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any


class AdminError(RuntimeError):
    """The admin plane refused; the message says why."""


class AdminClient:
    """Talks to one exchange's admin plane; a new connection per call."""

    def __init__(self, port: int, token: str, timeout_s: float = 30.0) -> None:
        self._port = port
        self._token = token
        self._timeout_s = timeout_s

    def books(self) -> dict[str, Any]:
        """Accounts {name: {asset: [free, locked]}}, orders, trades, fees, counters as JSON."""
        return self._call("GET", "books")

    def clock(self) -> dict[str, Any]:
        """{now_ms, rate}."""
        return self._call("GET", "clock")

    def set_clock(self, now_ms: int | None = None, rate: str | None = None) -> dict[str, Any]:
        """Jump, change the rate (exchange ms per wall ms), or both."""
        given = {"now_ms": now_ms, "rate": rate}
        return self._call("POST", "clock", {k: v for k, v in given.items() if v is not None})

    def advance(self, advance_ms: int) -> dict[str, Any]:
        """Move the clock on."""
        return self._call("POST", "clock", {"advance_ms": advance_ms})

    def faults(self, scripts: Sequence[Mapping[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Add fault scripts, if any; the whole table with its counters."""
        if scripts:
            self._call("POST", "faults", list(scripts))
        return self._call("GET", "faults")

    def clear_faults(self) -> None:
        """Remove every fault."""
        self._call("DELETE", "faults")

    def held(self) -> dict[str, int]:
        """How many replies wait at each gate."""
        return self._call("GET", "gates")

    def release(self, gate: str = "gate") -> int:
        """Open a gate; how many replies waited."""
        return self._call("POST", "gates", {"gate": gate})["released"]

    def place(self, symbol: str, side: str, qty: str, price: str, **more: Any) -> dict[str, Any]:
        """An order by hand (a stranger to the client): type, tif, client_id, account in `more`."""
        given = {"symbol": symbol, "side": side, "qty": qty, "price": price, **more}
        return self._call("POST", "orders", given)

    def cancel(self, symbol: str, **which: Any) -> dict[str, Any]:
        """Cancel by hand; order_id or client_id."""
        return self._call("POST", "orders/cancel", {"symbol": symbol, **which})

    def fill(self, symbol: str, **which: Any) -> dict[str, Any]:
        """Fill a resting order at its price; order_id or client_id, and qty for a part."""
        return self._call("POST", "orders/fill", {"symbol": symbol, **which})

    def deposit(self, asset: str, amount: str, account: str = "main") -> dict[str, Any]:
        """Money from outside; a negative amount is a withdrawal."""
        given = {"asset": asset, "amount": amount, "account": account}
        return self._call("POST", "balances", given)

    def instrument(self, symbol: str, **changes: str) -> dict[str, Any]:
        """Change rules or status: tick, lot, min_notional, status="BREAK" ..."""
        return self._call("POST", "instruments", {"symbol": symbol, **changes})

    def instruments(self) -> list[dict[str, Any]]:
        """The rules of every instrument."""
        return self._call("GET", "instruments")

    def key(self, **changes: Any) -> dict[str, Any]:
        """Change a key's rights: enabled, reading, trading, withdrawals, ip_restricted; with
        `key`, `secret` and `account` a new key is made first."""
        return self._call("POST", "keys", changes)

    def ban(self, until_ms: int) -> None:
        """Ban every client until then (exchange time)."""
        self._call("POST", "ban", {"until_ms": until_ms})

    def moods(self, **changes: Any) -> dict[str, Any]:
        """Change standing faults (see views.Moods: lags, freezes, races); all of them."""
        return self._call("POST", "moods", changes)

    def requests(self) -> dict[str, Any]:
        """{counts: {"POST /path": n}, log: [rows]}; the admin plane's own calls do not count."""
        return self._call("GET", "requests")

    def clear_requests(self) -> None:
        """Forget counts and log."""
        self._call("DELETE", "requests")

    def _call(self, method: str, path: str, given: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_s)
        try:
            body = None if given is None else json.dumps(given)
            headers = {"X-Admin-Token": self._token}
            connection.request(method, f"/admin/{path}", body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise AdminError(f"{method} /admin/{path}: {answer.get('error', response.status)}")
        return answer
