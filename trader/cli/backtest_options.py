"""The options of a back-test's model: words and a JSON file -> `ModelOptions`.

Lives here: reading and bounds. What the file says (`--model FILE.json`), an option on the command
line overrules. Must not live here: typer, the table of options (`options`), what the numbers do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

from trader.app.backtest_model import BASE, QUOTE, ModelOptions, Tier
from trader.core.model import CLOSE, MARK, Slippage, VolumeCap
from trader.errors import UsageError

PPM_PER_BPS = 100
PPM_PER_PERCENT = 10_000
# Keys of the file that are no option of the command line.
FILE_ONLY = ("fee_tiers", "spread_range", "slippage_of_spread", "impact_law", "zero_volume_fills")
# The others are options' names (see `options.MODEL`).
OPTION_KEYS = (
    "spread", "slippage", "impact", "volume_share", "carry_bars", "latency", "fee", "fee_maker",
    "fee_in", "fee_coin_price", "stops", "timeframe_detail", "at_end", "delisted",
)  # fmt: skip
# Of one tier, and the most that each may be.
TIER_KEYS = {"turnover": 1_000_000_000_000, "taker": 1_000, "maker": 1_000}
LAWS = ("sqrt", "linear")


def read_model(given: Mapping[str, Any]) -> ModelOptions:
    """The model that options by name (text, "" where not given) and their file ask for.

    Raises UsageError.
    """
    said = read_model_file(given.get("model", ""))
    said |= {name: str(given[name]) for name in OPTION_KEYS if given.get(name)}
    return model_of(said)


def read_model_file(path: str) -> dict[str, Any]:
    """What a JSON file says of the model, numbers as text; empty for ""."""
    if not path:
        return {}
    try:
        text = Path(path).read_text(encoding="utf-8")
        rows = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_once)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "name a readable file") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}", "see docs/fills.md") from error
    if not isinstance(rows, dict):
        raise UsageError(f"{path} is no JSON object", "see docs/fills.md")
    said = cast("dict[str, Any]", rows)
    for name in said:
        if name not in (*OPTION_KEYS, *FILE_ONLY):
            known = ", ".join(sorted((*OPTION_KEYS, *FILE_ONLY)))
            raise UsageError(f"{path}: {name!r} is not known", f"known are {known}")
    return said


def model_of(said: Mapping[str, Any]) -> ModelOptions:
    """The options that words by name say; raises UsageError."""
    law = _word(said, "impact_law", LAWS, "sqrt")
    fee_in = str(said.get("fee_in", QUOTE))
    if fee_in not in {QUOTE, BASE}:
        fee_in = fee_in.upper()
        if not fee_in.isalnum():
            raise UsageError(f"--fee-in {fee_in!r} is no coin", "say quote, base or a coin: BNB")
    return ModelOptions(
        spread_ppm=_ppm(said, "spread", "2", 5_000, PPM_PER_BPS),
        spread_range_ppm=_ppm(said, "spread_range", "0", 100, PPM_PER_PERCENT),
        slippage=Slippage(
            _ppm(said, "slippage", "0", 5_000, PPM_PER_BPS),
            _ppm(said, "slippage_of_spread", "0", 1_000, PPM_PER_PERCENT),
            _ppm(said, "impact", "0", 5_000, PPM_PER_BPS),
            linear=law == "linear",
        ),
        volume=VolumeCap(
            _ppm(said, "volume_share", "0", 100, PPM_PER_PERCENT),
            _whole(said, "carry_bars", VolumeCap().carry_bars, 10_000),
        ),
        latency_bars=_whole(said, "latency", 1, 1_000),
        fee=_share(said, "fee"),
        fee_maker=_share(said, "fee_maker"),
        fee_in=fee_in,
        coin_price=_price(said),
        tiers=_tiers(said.get("fee_tiers", ())),
        venue_stops=_word(said, "stops", ("program", "venue"), "program") == "venue",
        detail=str(said.get("timeframe_detail", "")),
        at_end=_word(said, "at_end", (MARK, CLOSE), MARK),
        delisted=_word(said, "delisted", (MARK, CLOSE), MARK),
        zero_volume_fills=_switch(said, "zero_volume_fills"),
    )


def flag(name: str) -> str:
    """How an option is written."""
    return name if name in FILE_ONLY else f"--{name.replace('_', '-')}"


def number(option: str, text: str, most: int, *, above: bool = False) -> Decimal:
    """A number of an option, at least 0 (`above`: more than 0), at most `most`."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise UsageError(f"{option} {text!r} is not a number", "write it plainly: 10") from None
    if not value.is_finite() or value < 0 or value > most or (above and value == 0):
        low = "above 0" if above else "at least 0"
        raise UsageError(f"{option} {text} is out of range", f"{low}, at most {most}")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} stands there twice")
        found[key] = value
    return found


def _ppm(said: Mapping[str, Any], name: str, default: str, most: int, ppm_per: int) -> int:
    unit = "%" if ppm_per == PPM_PER_PERCENT else "bps"
    text = str(said.get(name, default)).removesuffix(unit).rstrip()
    value = number(flag(name), text, most) * ppm_per
    if value != int(value):
        raise UsageError(
            f"{flag(name)} {said[name]} is finer than a millionth", "round it to fewer decimals"
        )
    return int(value)


def _share(said: Mapping[str, Any], name: str) -> Decimal | None:
    return number(flag(name), str(said[name]), 1_000) / 10_000 if name in said else None


def _price(said: Mapping[str, Any]) -> Decimal | None:
    name = "fee_coin_price"
    if name not in said:
        return None
    return number(flag(name), str(said[name]), 1_000_000_000, above=True)


def _whole(said: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = number(flag(name), str(said.get(name, default)), most)
    if value != int(value):
        raise UsageError(f"{flag(name)} {said[name]} is not a whole number", "write it plainly: 1")
    return int(value)


def _word(said: Mapping[str, Any], name: str, known: tuple[str, ...], default: str) -> str:
    word = str(said.get(name, default))
    if word not in known:
        raise UsageError(f"{flag(name)} {word!r} is not known", f"known are {', '.join(known)}")
    return word


def _switch(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"{name} {value!r} is not true or false", "write true or false")
    return value


def _tiers(rows: Any) -> tuple[Tier, ...]:
    if rows == ():
        return ()
    say = 'write [{"turnover": 0, "taker": 10, "maker": 10}, ...], fees in bps'
    if not isinstance(rows, list) or not rows:
        raise UsageError("fee_tiers is no list of tiers", say)
    tiers = tuple(_tier(row, say) for row in cast("list[Any]", rows))
    turnovers = [tier.turnover for tier in tiers]
    if turnovers[0] != 0 or turnovers != sorted(set(turnovers)):
        raise UsageError("the turnover of fee_tiers does not rise from 0", say)
    return tiers


def _tier(row: Any, say: str) -> Tier:
    told = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    if set(told) != set(TIER_KEYS):
        raise UsageError(f"fee_tiers: {row!r} is no tier", say)
    turnover, taker, maker = (
        number(f"fee_tiers {name}", str(told[name]), most) for name, most in TIER_KEYS.items()
    )
    return Tier(turnover, taker / 10_000, maker / 10_000)
