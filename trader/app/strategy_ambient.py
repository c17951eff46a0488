"""What a check changes about the world that a strategy lives in: clocks and chance.

Lives here: replacing, inside a strategy's process and before its file is loaded, what tells the
time and what draws numbers, so that an answer which depends on either becomes another one. Must
not live here: which worlds are compared (`strategy_check`).
"""

from __future__ import annotations

import datetime as dt
import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

# A frozen clock still moves a little with every look, or code that waits for it never ends.
TICK_S = 0.001
# An hour, a minute and a second: each look sees another one of all three.
RACE_S = 3_661.0
_CLOCKS = ("monotonic", "perf_counter", "process_time", "thread_time")
_CHANCE = (
    "random", "uniform", "triangular", "randint", "choice", "randrange", "sample", "shuffle",
    "choices", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate",
    "gammavariate", "gauss", "betavariate", "paretovariate", "weibullvariate", "getstate",
    "setstate", "getrandbits", "randbytes", "seed",
)  # fmt: skip


def change_world(ambient: Mapping[str, Any]) -> None:
    """`clock_s`: seconds to add to every clock; `clock`: `frozen`, `racing` or absent; `chance`:
    `low`, `high` or absent."""
    if "clock_s" in ambient or "clock" in ambient:
        _change_clocks(float(ambient.get("clock_s", 0.0)), str(ambient.get("clock", "")))
    if "chance" in ambient:
        _change_chance(high=ambient["chance"] == "high")


class _Ticker:
    """One changed clock, in seconds."""

    def __init__(self, read: Callable[[], float], shift_s: float, kind: str) -> None:
        self.read = read
        self.shift_s = shift_s
        self.step_s = {"frozen": TICK_S, "racing": RACE_S}.get(kind, 0.0)
        self.start_s = read()
        self.looks = 0

    def now_s(self) -> float:
        """Seconds since its epoch."""
        if not self.step_s:
            return self.read() + self.shift_s
        self.looks += 1
        start_s = 1_600_000_000.0 if self.step_s == TICK_S else self.start_s
        return start_s + self.shift_s + self.looks * self.step_s

    def now_ns(self) -> int:
        """Nanoseconds since its epoch."""
        return int(self.now_s() * 1e9)


def _change_clocks(shift_s: float, kind: str) -> None:
    wall = _Ticker(time.time, shift_s, kind)
    changed: dict[str, Callable[..., Any]] = {"time": wall.now_s, "time_ns": wall.now_ns}
    for name in _CLOCKS:
        ticker = _Ticker(getattr(time, name), shift_s, kind)
        changed |= {name: ticker.now_s, f"{name}_ns": ticker.now_ns}
    for name in ("gmtime", "localtime", "ctime"):
        changed[name] = _of_seconds(getattr(time, name), wall)
    changed |= {"clock_gettime": _of_clock(wall.now_s), "clock_gettime_ns": _of_clock(wall.now_ns)}
    changed["strftime"] = _of_parts(time.strftime, changed["localtime"], 1)
    changed["asctime"] = _of_parts(time.asctime, changed["localtime"], 0)
    for name, function in changed.items():
        setattr(time, name, function)
    _change_dates(wall)


def _of_seconds(real: Callable[..., Any], wall: _Ticker) -> Callable[..., Any]:
    def told(seconds: float | None = None) -> Any:
        return real(wall.now_s() if seconds is None else seconds)

    return told


def _of_clock(told: Callable[[], float]) -> Callable[[int], float]:
    return lambda _clock: told()


def _of_parts(real: Callable[..., Any], now: Callable[[], Any], place: int) -> Callable[..., Any]:
    """A function that takes the time of now where the argument at `place` is not given."""

    def told(*given: Any) -> Any:
        return real(*given) if len(given) > place else real(*given, now())

    return told


def _change_dates(wall: _Ticker) -> None:
    class Date(dt.date):
        """A date whose today is the changed clock's."""

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(wall.now_s())

    class DateTime(dt.datetime):
        """A time whose now is the changed clock's."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(wall.now_s(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            moment = cls.fromtimestamp(wall.now_s(), dt.UTC)
            return moment.replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(wall.now_s())

    for name, kind in (("date", Date), ("datetime", DateTime)):
        setattr(dt, name, kind)


def _change_chance(*, high: bool) -> None:
    chance = _Leaning(high=high)
    for name in _CHANCE:
        setattr(random, name, getattr(chance, name))
    real_bytes = os.urandom

    def lean(size: int, /) -> bytes:
        return bytes([255 if high else 0]) * size if size < 4096 else real_bytes(size)

    os.urandom = lean


class _Leaning(random.Random):
    """Chance that leans to one end, unless it was seeded: then it is as good as a constant."""

    def __init__(self, *, high: bool) -> None:
        super().__init__()
        self.high = high
        self.seeded = False

    def seed(self, a: Any = None, version: int = 2) -> None:
        """A seed that somebody chose makes it an ordinary generator."""
        super().seed(a, version)
        self.seeded = a is not None

    def random(self) -> float:
        """0.0 <= x < 1.0, near an end."""
        drawn = super().random()
        if self.seeded:
            return drawn
        return 1.0 - (drawn + 1e-9) * 1e-3 if self.high else drawn * 1e-3

    def getrandbits(self, k: int, /) -> int:
        """So many bits, all but the low ones equal."""
        drawn = super().getrandbits(k)
        if self.seeded:
            return drawn
        few = drawn % 2 if k > 1 else 0
        return ((1 << k) - 1) ^ few if self.high else few

    def _randbelow(self, n: int) -> int:
        """0 <= x < n. The ordinary one draws bits until they are below n: with these, for ever."""
        return int(self.random() * n)

    def normalvariate(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """The ordinary one draws until it is pleased, which with leaning chance is never."""
        return self.gauss(mu, sigma)
