"""The schema of universe.yaml: tiers, what is denied, and the market's regime.

Lives here: models. Must not live here: rules between keys.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trader.policy.fields import Choice, Duration, Pair, Share, Whole
from trader.policy.schema_base import Cash, PatternList, Section, ShortName, Step
from trader.policy.written_rules import Expression

TIERS = ("core", "rotational", "event")
RANKS = ("quote_volume", "momentum", "volatility")


class Filters(Section):
    """What a pair of a tier must have; a filter of 0 asks for nothing."""

    quote_volume_24h_min: Cash = Field(
        default="0", description="traded value of the last 24 hours at least, in app.quote"
    )
    spread_max: Annotated[str, Share("0", "0.5")] = Field(
        default="0",
        description="distance of best bid and ask at most, share of their middle; 0: not asked",
    )
    depth_min: Cash = Field(
        default="0",
        description="value at the best bid and ask at least, in app.quote, where the venue tells "
        "it; 0: not asked",
    )
    age_min: Annotated[str, Duration("0s", "3650d")] = Field(
        default="0s", description="how long ago it was listed at least, such as 90d"
    )
    price_min: Cash = Field(default="0", description="price at least, in app.quote")


class Tier(Section):
    """One tier: who belongs to it, and how much may be held of it."""

    pairs: PatternList = Field(
        default=[],
        description="instruments such as BTC/USDT, or wildcards such as .*/USDT; a pair belongs "
        "to the first tier that names it, else to the first whose wildcard matches",
    )
    filters: Filters = Field(default=Filters(), description="what a pair must have")
    take: Annotated[int, Whole(0, 1_000)] = Field(
        default=0, description="how many of the best ranked are members; 0: all that pass"
    )
    keep: Annotated[int, Whole(0, 1_000)] = Field(
        default=0,
        description="a member stays until its rank is below this one, so that it does not flap; "
        "0: as take",
    )
    rank_by: Annotated[str, Choice(RANKS)] = Field(
        default="quote_volume",
        description="what the best are best in: quote_volume, momentum or volatility",
    )
    positions_max: Annotated[int, Whole(0, 1_000)] = Field(
        default=1_000, description="open positions and entries in flight of this tier at most"
    )
    weight: Annotated[str, Share("0", "1")] = Field(
        default="100%", description="most exposure (value) of this tier, share of equity"
    )


class Tiers(Section):
    """The three tiers; one without pairs does not exist."""

    core: Tier = Field(default=Tier(), description="what is always looked at")
    rotational: Tier = Field(default=Tier(), description="what comes and goes by its rank")
    event: Tier = Field(default=Tier(), description="what is traded for a while, and little of it")


class RegimeState(Section):
    """One regime of the market, and what it allows."""

    when: Annotated[str, Expression()] = Field(
        default="",
        description="rule over the benchmark's closed bars; empty: always, for the last one",
    )
    tiers: list[Annotated[str, Choice(TIERS)]] = Field(
        default=[], description="tiers that may open positions, such as [core]"
    )
    risk: Annotated[str, Share("0", "1")] = Field(
        default="0", description="factor of every entry's size, share: 50% halves it"
    )


class Regime(Section):
    """How the market's regime is told: the first state whose rule holds."""

    benchmark: Annotated[str, Pair()] = Field(
        default="BTC/USDT", description="the instrument whose bars tell the regime"
    )
    timeframe: Step = Field(default="4h", description="the benchmark's bars")
    confirm_bars: Annotated[int, Whole(1, 100)] = Field(
        default=2, description="for how many bars in a row a state must hold before it counts"
    )
    states: dict[ShortName, RegimeState] = Field(
        default={},
        description="the states, asked in this order; the last has no rule and always holds",
    )


class Universe(Section):
    """universe.yaml: what may be traded, and when."""

    timeframe: Step = Field(
        default="1h", description="bars that volume, age, price and ranks are measured on"
    )
    refresh: Annotated[str, Duration("1m", "7d")] = Field(
        default="1h", description="how often members are chosen anew, such as 1h"
    )
    deny: PatternList = Field(
        default=[], description="instruments or wildcards that are never traded"
    )
    tiers: Tiers = Field(default=Tiers(), description="the three tiers")
    regime: Regime | None = Field(
        default=None,
        description="how the market's regime is told; left out: every tier is open",
    )
