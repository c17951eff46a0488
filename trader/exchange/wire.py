"""What goes over the wire, without a socket.

Here: `Request`, `Reply` and how a reply is to be sent (`Sending`), so that the exchange can be
asked with or without HTTP. Not here: parsing of bytes (sockets.py) and meaning (a dialect,
admin.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from trader.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are lower case; `query` is raw, without the question mark."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sending:
    """How a reply leaves: `mode` is normal, drop (close, no byte), reset (TCP reset), dribble (one
    byte each `gap_ms`), cut (full length announced, `cut_bytes` sent, then close) or hold (wait
    until the gate `gate` is opened by the admin plane)."""

    mode: str = "normal"
    delay_ms: int = 0
    gap_ms: int = 0
    cut_bytes: int = 0
    gate: str = ""
    # Called with 1 when the effect reaches the client, and with -1 if it failed to after all.
    observed: Callable[[int], None] | None = None


@dataclass(slots=True)
class Reply:
    """One answer; `note` says for the request log what it was about."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    note: dict[str, Any] = field(default_factory=dict[str, Any])
    sending: Sending = field(default_factory=Sending)


Dialect = Callable[[Request], Reply]


def parse_form(text: str) -> dict[str, str]:
    """`a=1&b=x%20y` -> {"a": "1", "b": "x y"}; of a repeated name the first value counts."""
    found: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name:
            found.setdefault(unquote_plus(name), unquote_plus(value))
    return found
