"""Snapshot: everything one decision sees, and its payload in the journal.

Lives here: the frozen input of `plan`. Together with the state that the entries before it fold to,
the payload is enough to decide again. Must not live here: fetching.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trader.core.frames import Frames
from trader.core.parameters import Parameters, StrategyCode
from trader.core.series import Series
from trader.core.state import HALT_LEVELS, State
from trader.records import dataclass, field, inner

if TYPE_CHECKING:
    from trader.core.signals import Opinion

SeriesKey = tuple[str, str]
Told = Callable[[str, str, int], "Opinion | None"]


@dataclass(frozen=True, slots=True)
class CoreQuote:
    """Best bid and ask in ticks, quantities in lots (-1: not told), and when it was read."""

    bid_ticks: int
    ask_ticks: int
    bid_lots: int
    ask_lots: int
    at_ms: int

    def row(self) -> list[int]:
        """Canonical form."""
        return [self.bid_ticks, self.ask_ticks, self.bid_lots, self.ask_lots, self.at_ms]


def quote_of(row: list[int]) -> CoreQuote:
    """The quote that `row` gave."""
    return CoreQuote(*row)


@dataclass(frozen=True, slots=True)
class Running:
    """Hashes of what decides: the checked policy, the installed code, its locked requirements; ""
    where none is told (a back-test)."""

    policy: str = ""
    code: str = ""
    lock: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a decision sees.

    Attributes:
        bar_ms: open time of the decision bar, closed at `bar_ms + step_ms` <= now_ms.
        now_ms: when it was put together.
        state: the account, folded from every entry before.
        strategies: code by strategy name (one per StrategySpec of the parameters).
        series: closed bars by (symbol, timeframe), as far back as the anchor needs.
        quotes: by symbol; a symbol may be absent.
        troubles: by symbol, or "*" for all: why its data or books cannot be trusted, as
            `CODE key=value ...`.
        latch: halt level of the latch outside the journal (`running` when it is not set).
        strategy_troubles: by strategy name: its code ran out of time or memory, or died, as
            `STRATEGY_FAILED why=...`. That is a fact like any other: the strategy is not evaluated,
            so that whoever decides again decides the same.
        running: hashes of what decides.
        skew_ms: this host's clock less the venue's, as read at the start of the pass; 0 where time
            travels.
        told: of a back-test that formed all opinions before: (strategy, symbol, close_ms) -> the
            one that the bars would give.
        repaints: by symbol: the largest change, millionths, of a price of a bar that was decided
            on and that the venue now tells otherwise.
    """

    bar_ms: int
    now_ms: int
    state: State
    parameters: Parameters
    strategies: Mapping[str, StrategyCode]
    series: Mapping[SeriesKey, Series]
    quotes: Mapping[str, CoreQuote]
    troubles: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    latch: str = "running"
    strategy_troubles: Mapping[str, str] = field(default_factory=dict[str, str])
    running: Running = Running()
    skew_ms: int = 0
    repaints: Mapping[str, int] = field(default_factory=dict[str, int])
    told: list[Told] = inner(default_factory=list[Told])
    _frames: list[Frames] = inner(default_factory=list[Frames])

    def told_opinion(self, strategy: str, symbol: str) -> Opinion | None:
        """The opinion that somebody formed before; None: it is to be formed from the bars."""
        return self.told[0](strategy, symbol, self.close_ms) if self.told else None

    @property
    def frames(self) -> Frames:
        """The rows that this decision evaluates; what is computed over them is computed once."""
        if not self._frames:
            frames = Frames(self.series, self.close_ms, self.parameters.anchor_bars)
            self._frames.append(frames)
        return self._frames[0]

    @property
    def close_ms(self) -> int:
        """When the decision bar closed."""
        return self.bar_ms + self.parameters.step_ms

    @property
    def halt_rank(self) -> int:
        """The graver of the journal's halt level and the latch's."""
        return halt_rank(self.state, self.latch)


def halt_rank(state: State, latch: str) -> int:
    """Index into HALT_LEVELS of what holds now: the graver of journal and latch."""
    return max(HALT_LEVELS.index(state.word("halt_level")), HALT_LEVELS.index(latch))


def snapshot_payload(snapshot: Snapshot) -> dict[str, Any]:
    """The `snapshot` entry: windows name the bars by range and hash, the bars lie elsewhere.

    `strategy_troubles` and `skew_ms` stand in it only when there are some, as in entries of older
    versions.
    """
    payload: dict[str, Any] = {
        "bar_ms": snapshot.bar_ms,
        "now_ms": snapshot.now_ms,
        "step_ms": snapshot.parameters.step_ms,
        "policy": snapshot.running.policy,
        "code": snapshot.running.code,
        "lock": snapshot.running.lock,
        "windows": {
            f"{symbol}|{timeframe}": window_row(series)
            for (symbol, timeframe), series in sorted(snapshot.series.items())
        },
        "quotes": {symbol: quote.row() for symbol, quote in sorted(snapshot.quotes.items())},
        "latch": snapshot.latch,
        "troubles": {key: list(codes) for key, codes in sorted(snapshot.troubles.items())},
    }
    if snapshot.strategy_troubles:
        payload["strategy_troubles"] = dict(sorted(snapshot.strategy_troubles.items()))
    if snapshot.skew_ms:
        payload["skew_ms"] = snapshot.skew_ms
    if snapshot.repaints:
        payload["repaints"] = dict(sorted(snapshot.repaints.items()))
    return payload


def window_row(series: Series) -> list[int | str]:
    """[first open_ms, last open_ms, bars, sha256 of the columns' first 16 hex]; zeros if empty."""
    if not len(series):
        return [0, 0, 0, ""]
    return [series.open_ms[0], series.open_ms[-1], len(series), series_sha(series)]


def series_sha(series: Series) -> str:
    """First 16 hex digits of the sha256 over the columns as decimal text: same on any machine."""
    digest = hashlib.sha256()
    for column in (series.open_ms, series.open, series.high, series.low, series.close):
        digest.update(" ".join(map(str, column)).encode())
        digest.update(b";")
    digest.update(" ".join(value.hex() for value in series.volume).encode())
    return digest.hexdigest()[:16]
