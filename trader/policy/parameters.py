"""The checked form -> what the core reads (`core.parameters`) and what wiring reads (`Settings`).

Lives here: plain data becomes integers, once. Imports neither yaml nor pydantic: a cycle pays only
for this. Must not live here: checks (the form has passed them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trader.core.identity import owner_prefix
from trader.core.parameters import Limits, Parameters, StrategySpec
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.checked import Form

# The units of `quantities`, which costs a cycle more to import than these five numbers.
UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


@dataclass(frozen=True, slots=True)
class CredentialPlaces:
    """Names of variables and paths of files that hold one mode's key and secret; "" is none."""

    key_env: str
    secret_env: str
    key_file: str
    secret_file: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What wiring needs of app.yaml and no decision reads.

    Attributes:
        venue: as ccxt calls it. base_url: loopback address, or "" for the venue's own.
        credentials: by mode (`testnet`, `live`).
        state_dir: "" when not named. starting_balance: decimal text, in the quote currency.
    """

    venue: str
    base_url: str
    timeout_ms: int
    recv_window_ms: int
    unknown_grace_ms: int
    credentials: Mapping[str, CredentialPlaces]
    deadline_ms: int
    settle_ms: int
    starting_balance: str
    state_dir: str


def build_settings(form: Form) -> Settings:
    """The wiring's part of a checked form."""
    app = form["app"]
    exchange = app["exchange"]
    return Settings(
        venue=exchange["name"],
        base_url=exchange["base_url"],
        timeout_ms=exchange["timeout_ms"],
        recv_window_ms=exchange["recv_window_ms"],
        unknown_grace_ms=exchange["unknown_grace_ms"],
        credentials={
            mode: CredentialPlaces(**places) for mode, places in exchange["credentials"].items()
        },
        deadline_ms=app["cycle"]["deadline_ms"],
        settle_ms=app["cycle"]["settle_ms"],
        starting_balance=app["paper"]["starting_balance"],
        state_dir=app["state_dir"],
    )


def build_parameters(form: Form, strategy_shas: Mapping[str, str]) -> Parameters:
    """What decisions read.

    `strategy_shas`: sha256 of each strategy's source by strategy name (see `strategy_files`).
    KeyError when a strategy's hash is missing.
    """
    app = form["app"]
    return Parameters(
        account=app["account"],
        mode=app["mode"],
        prefix=owner_prefix(app["account"], app["mode"]),
        quote=app["quote"],
        step_ms=TIMEFRAMES_MS[app["timeframe"]],
        anchor_bars=app["cycle"]["anchor_bars"],
        capital="" if app["capital"] == "all" else app["capital"],
        cash_max=app["cash_max"],
        limits=_limits(form["policy"]["limits"]),
        strategies=tuple(
            _strategy(name, row, strategy_shas[name]) for name, row in form["strategies"].items()
        ),
    )


def _limits(row: Mapping[str, Any]) -> Limits:
    return Limits(
        slippage_ppm=_ppm(row["slippage"]),
        exit_slippage_ppm=_ppm(row["exit_slippage"]),
        collar_ppm=_ppm(row["collar"]),
        position_ppm=_ppm(row["position"]),
        positions_max=row["positions_max"],
        order_notional_min=row["order_notional_min"],
        quote_age_ms_max=_ms(row["quote_age_max"]),
        missing_ppm_max=_ppm(row["missing_bars_max"]),
        bar_jump_ppm_max=_ppm(row["bar_jump_max"]),
    )


def _strategy(name: str, row: Mapping[str, Any], source_sha: str) -> StrategySpec:
    timeframe = row["timeframe"]
    return StrategySpec(
        name=name,
        source=row["file"],
        source_sha=source_sha,
        symbols=tuple(row["instruments"]),
        timeframe=timeframe,
        timeframe_ms=TIMEFRAMES_MS[timeframe],
        numbers={key: _number(value) for key, value in row["parameters"].items()},
        equity_ppm=_ppm(row["size"]["equity_share"]),
        ttl_bars=row["ttl_bars"],
        enabled=row["enabled"],
    )


def _ppm(share: str) -> int:
    """Millionths of a share as the form keeps it: plain decimal text of at most six places."""
    return int(Decimal(share).scaleb(6))


def _ms(duration: str) -> int:
    """Milliseconds of a duration as the form keeps it: digits and a unit."""
    digits = duration.rstrip("dhms")
    return int(digits) * UNITS_MS[duration[len(digits) :]]


def _number(value: int | str) -> float | int:
    """Decimals are text in the form, so that its hash never depends on a float's spelling."""
    return value if isinstance(value, int) else float(value)
