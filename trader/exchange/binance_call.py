"""How Binance spot reads a request: parameters, their errors, and who signed it.

Here: `Call` (one request's parameters with the venue's own complaints), `BinanceError`, and the
check of key, time window and signature. Part of the dialect in binance.py, apart for length.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trader.exchange.limits import ApiKey
from trader.exchange.money import ZERO
from trader.exchange.wire import Request
from trader.records import dataclass, field

_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


class BinanceError(Exception):
    """An answer {code, msg} with its HTTP status."""

    def __init__(self, code: int, msg: str, status: int = 400) -> None:
        super().__init__(code, msg)
        self.code, self.msg, self.status = code, msg, status


def illegal(name: str, pattern: str) -> BinanceError:
    """The complaint about a parameter that does not look as it must."""
    return BinanceError(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'."
    )


@dataclass
class Call:
    """One request being answered."""

    params: dict[str, str]
    now_ms: int
    account: str = ""
    key: ApiKey | None = None
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    note: dict[str, Any] = field(default_factory=dict[str, Any])

    def need(self, name: str) -> str:
        """A mandatory parameter."""
        value = self.params.get(name, "")
        if not value:
            raise BinanceError(
                -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            )
        return value

    def whole(self, name: str) -> int | None:
        """An optional integer."""
        value = self.params.get(name, "")
        if not value:
            return None
        if not value.isdigit() or len(value) > 19:
            raise illegal(name, "^[0-9]{1,20}$")
        return int(value)

    def number(self, name: str) -> Decimal:
        """A mandatory positive decimal of at most eight places."""
        value = self.need(name)
        if not _NUMBER.fullmatch(value):
            raise illegal(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$")
        if len(value.partition(".")[2].rstrip("0")) > 8:
            raise BinanceError(-1111, f"Parameter '{name}' has too much precision.")
        if Decimal(value) == ZERO:
            raise BinanceError(-1013, f"Invalid {name}.")
        return Decimal(value)

    def limit(self, usual: int, most: int) -> int:
        """Page size."""
        asked = self.whole("limit")
        if asked == 0:
            raise BinanceError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(asked or usual, most)

    def forbid(self, *names: str) -> None:
        """Parameters that make no sense here."""
        for name in names:
            if name in self.params:
                raise BinanceError(-1106, f"Parameter '{name}' sent when not required.")


def authenticate(call: Call, request: Request, keys: Mapping[str, ApiKey], *, trades: bool) -> None:
    """Check key, time window, rights (`trades`: the request needs the right to trade) and the
    HMAC-SHA256 over query and body; set `call.key` and `call.account`, or raise BinanceError."""
    sent_key = request.headers.get("x-mbx-apikey", "")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", sent_key):
        raise BinanceError(-2014, "API-key format invalid.", 401)
    signature = call.need("signature")
    call.need("timestamp")
    stamp = call.whole("timestamp") or 0
    # Newer clients may send microseconds.
    _check_time(call, stamp // 1000 if stamp > 100_000_000_000_000 else stamp)
    key = keys.get(sent_key)
    allowed = key is not None and key.enabled and key.reading and (key.trading or not trades)
    if key is None or not allowed:
        raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    payload = _unsigned(request.query) + _unsigned(request.body.decode("latin-1"))
    wanted = hmac.new(key.secret.encode(), payload.encode("latin-1"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.lower().encode()):
        raise BinanceError(-1022, "Signature for this request is not valid.")
    call.key, call.account = key, key.account


def _check_time(call: Call, stamp_ms: int) -> None:
    window_ms = call.whole("recvWindow")
    window_ms = 5_000 if window_ms is None else window_ms
    if window_ms > 60_000:
        raise BinanceError(-1131, "recvWindow must be less than 60000.")
    if stamp_ms >= call.now_ms + 1_000:
        raise BinanceError(
            -1021, "Timestamp for this request was 1000ms ahead of the server's time."
        )
    if call.now_ms - stamp_ms > window_ms:
        raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _unsigned(payload: str) -> str:
    """The signed part of a query or body: all but the signature itself."""
    parts = [part for part in payload.split("&") if part and not part.startswith("signature=")]
    return "&".join(parts)
