"""The checked form -> what the core reads (`core.parameters`) and what wiring reads (`Settings`).

Lives here: plain data becomes integers, once. Imports neither yaml nor pydantic: a cycle pays only
for this. Must not live here: checks (the form has passed them).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.core.identity import owner_prefix
from trader.core.parameters import (
    EntryStyle,
    Parameters,
    RegimeSpec,
    RegimeState,
    StrategySpec,
    TierSpec,
    UniverseSpec,
)
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.checked import Form
from trader.policy.form_numbers import ms, ppm
from trader.policy.parameters_limits import build_limits
from trader.policy.parameters_sizes import build_size
from trader.records import dataclass

TIER_NAMES = ("core", "rotational", "event")


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

    `strategy_shas`: sha256 of each strategy file's source by strategy name (see `strategy_files`).
    KeyError when a strategy's hash is missing; one of rules alone has none. A form of an earlier
    version is read as it was meant.
    """
    if "messages" not in form["policy"]:
        from trader.policy.upcasting import upcast

        form = upcast(form)
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
        limits=build_limits(form["policy"]),
        strategies=tuple(
            _strategy(name, row, strategy_shas[name] if row["file"] else "")
            for name, row in in_declared_order(form["strategies"])
        ),
        universe=_universe(form["universe"]),
        venue=app["exchange"]["name"],
    )


def in_declared_order(rows: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Named rows as the user wrote them, whatever order the keys of a stored form have."""
    return sorted(rows.items(), key=lambda item: item[1]["declared"])


def _universe(row: Mapping[str, Any]) -> UniverseSpec:
    regime = row["regime"]
    return UniverseSpec(
        timeframe=row["timeframe"],
        timeframe_ms=TIMEFRAMES_MS[row["timeframe"]],
        refresh_ms=ms(row["refresh"]),
        tiers=tuple(
            _tier(name, row["tiers"][name]) for name in TIER_NAMES if row["tiers"][name]["pairs"]
        ),
        deny=tuple(row["deny"]),
        regime=_regime(regime) if regime else None,
    )


def _tier(name: str, row: Mapping[str, Any]) -> TierSpec:
    filters = row["filters"]
    return TierSpec(
        name=name,
        pairs=tuple(row["pairs"]),
        quote_volume_min=filters["quote_volume_24h_min"],
        spread_ppm_max=ppm(filters["spread_max"]),
        depth_min=filters["depth_min"],
        age_ms_min=ms(filters["age_min"]),
        price_min=filters["price_min"],
        take=row["take"],
        keep=max(row["keep"], row["take"]),
        rank_by=row["rank_by"],
        positions_max=row["positions_max"],
        weight_ppm=ppm(row["weight"]),
    )


def _regime(row: Mapping[str, Any]) -> RegimeSpec:
    return RegimeSpec(
        benchmark=row["benchmark"],
        timeframe=row["timeframe"],
        timeframe_ms=TIMEFRAMES_MS[row["timeframe"]],
        confirm_bars=row["confirm_bars"],
        states=tuple(
            RegimeState(
                name=name,
                output=name if state["when"] else "",
                tiers=tuple(state["tiers"]),
                risk_ppm=ppm(state["risk"]),
            )
            for name, state in in_declared_order(row["states"])
        ),
        program=row["program"],
    )


def _strategy(name: str, row: Mapping[str, Any], source_sha: str) -> StrategySpec:
    timeframe, budget = row["timeframe"], row["budget"]
    return StrategySpec(
        name=name,
        source=row["file"],
        source_sha=source_sha,
        symbols=tuple(row["instruments"]),
        timeframe=timeframe,
        timeframe_ms=TIMEFRAMES_MS[timeframe],
        numbers={key: _number(value) for key, value in row["parameters"].items()},
        ttl_bars=row["ttl_bars"],
        enabled=row["enabled"],
        tier=row["tier"],
        shadow=row["shadow"],
        priority=row["priority"],
        hold_ms_max=ms(row["max_hold"]),
        pyramiding=row["pyramiding"],
        size=build_size(row["size"]),
        style=_style(row["entry"]),
        scale_ppm=tuple(ppm(step["share"]) for step in row["scale_out"]),
        budget_exposure_ppm=ppm(budget["exposure"]),
        budget_loss_ppm=ppm(budget["loss"]),
        budget_positions_max=budget["positions_max"],
        budget_trades_day_max=budget["trades_per_day_max"],
        program=row["program"],
    )


def _style(row: Mapping[str, Any]) -> EntryStyle:
    return EntryStyle(row["style"], ms(row["ttl"]), ppm(row["reprice"]), row["moves_max"])


def _number(value: int | str) -> float | int:
    """Decimals are text in the form, so that its hash never depends on a float's spelling."""
    return value if isinstance(value, int) else float(value)
