"""A ccxt instance made safe: exact numbers, one place to go, our clock, no silent garbage.

Lives here: construction of the instance and everything that is changed about it. ccxt turns an
HTML page, an empty body or a redirect into "no open orders" or an order without id; the wrapped
`handle_errors` raises instead. Must not live here: calls of the venue, meaning of answers.
"""

from __future__ import annotations

import copy
import ipaddress
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from trader.errors import UsageError, VenueRefused
from trader.records import dataclass, field
from trader.venues.dialect import Dialect, Reply
from trader.venues.wire import Wire, WireSession

Exchange = Any

# ccxt's debug lines hold keys and signatures.
_SILENT = logging.getLogger("trader.venues.ccxt")
_SILENT.disabled = True

MODES = ("paper", "testnet", "live")


@dataclass(frozen=True, slots=True)
class Target:
    """Which server: the exchange's own of this mode, or a loopback one that speaks its dialect."""

    mode: str
    base_url: str = ""

    def __post_init__(self) -> None:
        """Raises UsageError unless `base_url` is a loopback address outside live mode."""
        if self.mode not in MODES:
            raise UsageError(f"mode {self.mode!r}: one of {', '.join(MODES)}")
        if not self.base_url:
            return
        if self.mode == "live":
            raise UsageError("exchange.base_url: refused in live mode", "remove it")
        parts = urlsplit(self.base_url)
        plain = parts.scheme in {"http", "https"} and "@" not in parts.netloc
        if not (plain and _is_loopback(parts.hostname or "")):
            raise UsageError(
                f"exchange.base_url {self.base_url}: not a loopback address",
                "use http://127.0.0.1:PORT",
            )


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key; never shown."""

    api_key: str = field(default="", shown=False)
    secret: str = field(default="", shown=False)


def build_exchange(
    kind: type[Any],
    dialect: Dialect,
    target: Target,
    credentials: Credentials,
    clock_ms: Callable[[], int],
    errors: tuple[type[Exception], ...],
) -> tuple[Exchange, frozenset[str], Callable[[str], str]]:
    """A ccxt instance, the hosts it may speak to, and how its URLs read at the real venue.

    `errors` are what ccxt may raise. Raises VenueRefused when the class cannot be pointed where
    the mode says.
    """
    exchange = kind(
        {
            "apiKey": credentials.api_key,
            "secret": credentials.secret,
            "number": str,
            "enableRateLimit": False,
            "options": dict(dialect.options),
        }
    )
    if exchange.options.get("maxRetriesOnFailure", 0) != 0:
        raise VenueRefused(f"{dialect.exchange_id}: ccxt would send requests again by itself")
    exchange.milliseconds = exchange.nonce = clock_ms
    exchange.seconds = lambda: clock_ms() // 1000
    exchange.microseconds = lambda: clock_ms() * 1000
    exchange.logger = _SILENT
    exchange.set_markets([])
    real = _flat(exchange.urls["api"])
    if target.base_url:
        hosts = _point(exchange, target.base_url)
    else:
        hosts = _own_hosts(exchange, dialect, target.mode, errors)
    return exchange, hosts, _as_real(real, _flat(exchange.urls["api"]), target)


def clone_exchange(
    template: Exchange, wire: Wire, bad_response: type[Exception], real: Callable[[str], str]
) -> Exchange:
    """A second instance for another thread: a shallow copy (a new one costs a thousand times more)
    with a session and an error handler of its own; markets, urls and options stay shared."""
    exchange = copy.copy(template)
    exchange.session = WireSession(wire)
    exchange.headers = dict(template.headers)
    # The class's own method, bound to the copy: the template may hold a wrapped one.
    kind = cast("Any", type(template))
    original: Callable[..., Any] = kind.handle_errors.__get__(exchange)

    def handle_errors(
        code: int,
        reason: str,
        url: str,
        method: str,
        headers: Mapping[str, str],
        body: str,
        response: Any,
        *rest: Any,
    ) -> Any:
        wire.reply = Reply(code, headers, body, response)
        if 300 <= code < 400:
            raise bad_response(f"{code} {reason}: a redirect is not an answer")
        # Error tables are chosen by URL: a rehearsal must not meet other classes than the venue.
        result = original(code, reason, real(url), method, headers, body, response, *rest)
        if 200 <= code < 300 and not isinstance(response, dict | list):
            raise bad_response(f"{code} {reason}: the body is not JSON of an answer")
        return result

    exchange.handle_errors = handle_errors
    return exchange


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _flat(urls: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Every URL of a (nested) dict by its path."""
    if isinstance(urls, str):
        return {path: urls}
    found: dict[tuple[str, ...], str] = {}
    if isinstance(urls, Mapping):
        for key, value in cast("Mapping[str, Any]", urls).items():
            found.update(_flat(value, (*path, key)))
    return found


def _mapped(urls: Any, change: Callable[[str], str | None]) -> Any:
    """The same shape with every URL changed; those changed to None are left out."""
    if isinstance(urls, str):
        return change(urls)
    found: dict[str, Any] = {}
    for key, value in cast("Mapping[str, Any]", urls).items():
        changed = _mapped(value, change)
        if changed:
            found[key] = changed
    return found


def _point(exchange: Exchange, base_url: str) -> frozenset[str]:
    """Every URL of the class at another server: base + its old path."""
    base = base_url.rstrip("/")
    exchange.urls = {"api": _mapped(exchange.urls["api"], lambda url: base + urlsplit(url).path)}
    return frozenset({urlsplit(base).netloc})


def _own_hosts(
    exchange: Exchange, dialect: Dialect, mode: str, errors: tuple[type[Exception], ...]
) -> frozenset[str]:
    """The venue's own hosts of a mode; every other URL is taken out of the instance."""
    if mode == "testnet":
        try:
            exchange.set_sandbox_mode(True)
        except errors as error:  # TypeError for some: then its URLs are still production's
            raise VenueRefused(
                f"{dialect.exchange_id}: has no testnet in ccxt ({type(error).__name__})",
                "rehearse against the local exchange: exchange.base_url",
            ) from None
    hosts = dialect.hosts["testnet" if mode == "testnet" else "live"]
    kept = _mapped(exchange.urls["api"], lambda url: url if urlsplit(url).netloc in hosts else None)
    exchange.urls = {"api": kept}
    if not _flat(kept):
        raise VenueRefused(f"{dialect.exchange_id}: no URL of {mode} leads to {sorted(hosts)}")
    return hosts


def _as_real(
    real: Mapping[tuple[str, ...], str], used: Mapping[tuple[str, ...], str], target: Target
) -> Callable[[str], str]:
    """How a used URL reads at the venue itself; without `base_url` as it is."""
    if not target.base_url:
        return lambda url: url
    pairs = sorted(((used[key], real[key]) for key in used), key=lambda pair: -len(pair[0]))

    def translate(url: str) -> str:
        for ours, theirs in pairs:
            if url.startswith(ours):
                return theirs + url[len(ours) :]
        return url

    return translate
