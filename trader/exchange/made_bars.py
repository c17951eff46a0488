"""Made market data for the demo and for tests.

Here: seeded random-walk minute bars with regimes (trend up, trend down, ranging, restless), written
as CSV.gz. Not here: real data. Equal seed means equal bytes on every machine: only the integers of
`random.Random` and integer arithmetic are used, and the gzip header carries no time.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path

from trader.records import dataclass

_MINUTE_MS = 60_000
# A price walks as an integer of 1/1000 of its last printed digit, so that small drifts add up.
_FINE = 1_000
_TICKS_PER_MINUTE = 12


@dataclass(frozen=True, slots=True)
class MadeInstrument:
    """One instrument to make: start price and its decimals, usual volume a minute in base units."""

    symbol: str
    start: int
    decimals: int
    volume: int


DEMO_INSTRUMENTS = (
    MadeInstrument("BTCUSDT", 4_200_000, 2, 12),
    MadeInstrument("ETHUSDT", 230_000, 2, 160),
    MadeInstrument("SOLUSDT", 9_800, 2, 2_400),
    MadeInstrument("XRPUSDT", 5_200, 4, 310_000),
    MadeInstrument("LTCUSDT", 7_400, 2, 900),
    MadeInstrument("LINKUSDT", 14_300, 3, 4_100),
)


@dataclass(frozen=True, slots=True)
class _Regime:
    """drift and noise in parts per million of the price per tick; pull: parts per thousand of the
    distance to the regime's own middle that is undone per tick; minutes: shortest and longest."""

    drift_ppm: int
    noise_ppm: int
    pull_ppt: int
    minutes: tuple[int, int]


_REGIMES = (
    _Regime(14, 160, 0, (150, 420)),
    _Regime(-14, 170, 0, (150, 420)),
    _Regime(0, 190, 12, (200, 500)),
    _Regime(0, 380, 4, (60, 180)),
)


def made_rows(made: MadeInstrument, seed: int, start_ms: int, minutes: int) -> Iterator[str]:
    """Lines "timestamp_ms,open,high,low,close,volume", oldest first, one for every minute."""
    rng = random.Random(f"{seed}:{made.symbol}")  # noqa: S311 # nosec B311 - made data, no secret
    price = made.start * _FINE
    regime, left, middle = _REGIMES[2], 0, price
    for minute in range(minutes):
        if not left:
            regime = _REGIMES[rng.randrange(len(_REGIMES))]
            left = rng.randrange(*regime.minutes)
            middle = price
        left -= 1
        seen = [price]
        for _ in range(_TICKS_PER_MINUTE):
            # Three dice make a bell-shaped step without any function of the maths library.
            dice = sum(rng.randrange(-1000, 1001) for _ in range(3))
            step = price * regime.drift_ppm // 1_000_000
            step += price * regime.noise_ppm * dice // 1_000_000_000
            step += (middle - price) * regime.pull_ppt // 1_000
            price = max(_FINE * 10, price + step)
            seen.append(price)
        prices = [value // _FINE for value in seen]
        moved = 1 + abs(prices[-1] - prices[0]) * 4_000 // prices[0]
        volume = made.volume * moved * rng.randrange(200, 1800)
        ohlc = (prices[0], max(prices), min(prices), prices[-1])
        shown = ",".join(_decimal(value, made.decimals) for value in ohlc)
        yield f"{start_ms + minute * _MINUTE_MS},{shown},{_decimal(volume, 3)}"


def write_made_bars(
    folder: Path,
    seed: int = 1,
    minutes: int = 3_000,
    start_ms: int = 1_700_006_400_000,
    instruments: tuple[MadeInstrument, ...] = DEMO_INSTRUMENTS,
) -> list[Path]:
    """Write one made_<symbol>_1m.csv.gz for each instrument into `folder`; their paths.

    `start_ms` is the open time of the first minute, by default midnight UTC, 2023-11-15.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for made in instruments:
        lines = ["timestamp_ms,open,high,low,close,volume"]
        lines += made_rows(made, seed, start_ms, minutes)
        path = folder / f"made_{made.symbol.lower()}_1m.csv.gz"
        path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode(), 6, mtime=0))
        paths.append(path)
    return paths


def _decimal(value: int, decimals: int) -> str:
    digits = str(value).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"
