"""Calls of one ccxt exchange from any thread, under one deadline, one ban and one end.

Lives here: the pool of ccxt instances (an instance serves one call at a time: it has mutable
state), what stops a request before it leaves, what every reply tells about limits, and the end of
everything under way. Must not live here: what a call is for, and what its answer means.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from trader.domain.timeframe import DAY_MS
from trader.records import dataclass, field
from trader.venues.ccxt_import import load_exchange_class
from trader.venues.dialect import Dialect, Reply
from trader.venues.outcomes import UNEXPECTED, Barred, Garbage, redact, retry_at_ms
from trader.venues.watchdog import Watchdog

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CcxtConfig:
    """Which exchange, where, with whose key.

    Attributes:
        mode: `paper`, `testnet` or `live`. base_url: a loopback server instead of the exchange's.
        timeout_ms: for one whole request, from connect to last byte.
        recv_window_ms: how late the exchange may still accept a signed request.
        cache_path: file for the listing; None fetches it in every process.
    """

    exchange_id: str
    mode: str
    base_url: str = ""
    api_key: str = field(default="", shown=False)
    secret: str = field(default="", shown=False)
    timeout_ms: int = 10_000
    recv_window_ms: int = 5_000
    cache_path: Path | None = None
    cache_age_ms_max: int = DAY_MS


class CallFailed(Exception):
    """A ccxt call that raised: the error, whether a byte had left, and the answer if any."""

    def __init__(self, error: Exception, *, left: bool, reply: Reply | None) -> None:
        super().__init__(type(error).__name__)
        self.error = error
        self.left = left
        self.reply = reply


class _Channel:
    """A ccxt instance and its wire; one call at a time."""

    __slots__ = ("exchange", "generation", "wire")

    def __init__(self, exchange: Any, wire: Any, generation: int) -> None:
        self.exchange = exchange
        self.wire = wire
        self.generation = generation


class Connection:
    """The ccxt side of a venue.

    Attributes:
        deadline_s: monotonic seconds after which no request starts or goes on; None for none.
        blocked_until_ms: no request until then (epoch ms), because the venue said so.
        used_weight: request weight of the venue's current window as it told last, 0 untold.
    """

    def __init__(
        self,
        config: CcxtConfig,
        dialect: Dialect,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        """Imports ccxt; makes no request. Raises UsageError or VenueRefused."""
        self.dialect = dialect
        self.deadline_s: float | None = None
        self.blocked_until_ms = 0
        self.used_weight = 0
        self._config = config
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._watchdog = Watchdog(monotonic)
        # Re-entrant: a signal handler may abort while its own thread holds it.
        self._lock = threading.RLock()
        self._channels: list[_Channel] = []
        self._idle: list[_Channel] = []
        self._generation = 0
        self._aborted = False
        kind = load_exchange_class(config.exchange_id)
        # Only now: these import `requests`, which the class's import brings in lightly.
        from trader.venues import guard, wire

        self._clone = guard.clone_exchange
        self._wire_class = wire.Wire
        errors = importlib.import_module("ccxt.base.errors")
        self._bad_response: type[Exception] = errors.BadResponse
        self._caught = (errors.BaseError, Barred, *wire.WIRE_ERRORS, *UNEXPECTED)
        self._template, self._hosts, self._real_url = guard.build_exchange(
            kind,
            dialect,
            guard.Target(config.mode, config.base_url),
            guard.Credentials(config.api_key, config.secret),
            clock_ms,
            self._caught,
        )
        self._template.options["recvWindow"] = config.recv_window_ms

    def call(
        self,
        name: str,
        read: Callable[[Any, Reply], T],
        *args: Any,
        inspect: Callable[[str, str, str], None] | None = None,
    ) -> T:
        """One ccxt method, once, and what `read` makes of its answer.

        `inspect` sees (method, url, body) before they leave and may raise Barred. Raises
        CallFailed for everything that went wrong, `read`'s own errors included.
        """
        channel = self._take()
        wire = channel.wire
        wire.begin(inspect)
        try:
            answer = getattr(channel.exchange, name)(*args)
            reply: Reply | None = wire.reply
            if reply is None or not self.dialect.shapes[name](reply.parsed):
                raise Garbage(f"{name}: not the shape of an answer")
            return read(answer, reply)
        except self._caught as error:
            raise CallFailed(error, left=wire.left, reply=wire.reply) from None
        finally:
            self._learn(wire.reply)
            with self._lock:
                self._idle.append(channel)

    def set_markets(self, markets: list[dict[str, Any]]) -> None:
        """The markets that calls may name, for every thread from its next call on."""
        with self._lock:
            whole = [self._template.safe_market_structure(market) for market in markets]
            self._template.set_markets(whole)
            self._generation += 1

    def abort(self) -> None:
        """End every request under way and refuse new ones, for good: blocked threads return."""
        with self._lock:
            self._aborted = True
            channels = list(self._channels)
        for channel in channels:
            channel.wire.cut()

    def close(self) -> None:
        """Close idle connections; the next call opens them again."""
        with self._lock:
            channels = list(self._channels)
        for channel in channels:
            channel.exchange.session.close()

    def say(self, words: str) -> str:
        """Words for people and books: one line, without key, secret and signatures."""
        return redact(words, (self._config.api_key, self._config.secret))

    def _take(self) -> _Channel:
        """An idle instance with the newest markets; the one used last has an open connection."""
        with self._lock:
            if self._idle:
                channel = self._idle.pop()
            else:
                wire = self._wire_class(self._hosts, self._watchdog, self._may_send)
                exchange = self._clone(self._template, wire, self._bad_response, self._real_url)
                channel = _Channel(exchange, wire, self._generation)
                self._channels.append(channel)
            if channel.generation != self._generation:
                channel.exchange.set_markets_from_exchange(self._template)
                channel.generation = self._generation
        return channel

    def _may_send(self) -> float:
        """Seconds that a request may take now; raises Barred when none may leave."""
        if self._aborted:
            raise Barred("aborted", "the run was ended: no request leaves any more")
        now_ms = self._clock_ms()
        if now_ms < self.blocked_until_ms:
            raise Barred(
                "rate_limited",
                f"the venue asked for silence for {self.blocked_until_ms - now_ms} ms more",
                retry_at_ms=self.blocked_until_ms,
            )
        seconds = self._config.timeout_ms / 1000
        if self.deadline_s is None:
            return seconds
        left_s = self.deadline_s - self._monotonic()
        if left_s <= 0:
            raise Barred("deadline", "the deadline of this run has passed")
        return min(seconds, left_s)

    def _learn(self, reply: Reply | None) -> None:
        """What a reply says about limits counts for every thread."""
        if reply is None:
            return
        weight = reply.headers.get(self.dialect.weight_header, "")
        if weight.isdigit():
            self.used_weight = int(weight)
        if reply.status in (418, 429):
            until_ms = retry_at_ms(reply, self._clock_ms())
            self.blocked_until_ms = max(self.blocked_until_ms, until_ms)
