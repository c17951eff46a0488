"""The schema of the limits of policy.yaml: every key with its description, safe default and bounds.

Lives here: what orders, positions, strategies and the account are held to. Must not live here: the
day and the calendar (see `schema_calendar`), how large an entry is (see `schema_strategies`), and
rules between keys (see `coherence_limits`). A key that nobody reads must not be here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trader.policy.fields import Amount, Choice, Duration, Flag, Name, Pair, Share, Whole
from trader.policy.schema_base import PatternList, Section
from trader.policy.schema_calendar import Calendar, Day

Currency = Annotated[str, Name("[A-Z0-9]{2,20}", "a currency such as EUR, in capitals", True)]


class ValueAtRisk(Section):
    """What a bad day may cost, told from the days before."""

    limit: Annotated[str, Share("0.0001", "1")] = Field(
        default="3%",
        description="most that a day loses at the confidence below, of all that is held and being "
        "bought, share of equity",
    )
    confidence: Annotated[str, Share("0.5", "0.999")] = Field(
        default="95%", description="share of the days on which no more than that was lost"
    )
    days: Annotated[int, Whole(10, 400)] = Field(
        default=60, description="daily returns that are looked at, the newest ones"
    )
    days_min: Annotated[int, Whole(5, 400)] = Field(
        default=30,
        description="daily returns below which an instrument counts with `assumed` on every day",
    )
    assumed: Annotated[str, Share("0.01", "1")] = Field(
        default="20%",
        description="loss of a day of an instrument whose history is too short, share of its value",
    )


class Correlated(Section):
    """What moves together."""

    exposure_max: Annotated[str, Share("0.0001", "1")] | None = Field(
        default=None,
        description="most exposure (value) of instruments that move with the one bought, itself "
        "included, share of equity; left out: limits.exposure_max",
    )
    above: Annotated[str, Share("0", "1")] = Field(
        default="80%",
        description="correlation of daily returns from which on two instruments move together; "
        "those that cannot be compared do",
    )


class Limits(Section):
    """What every order is held to."""

    slippage: Annotated[str, Share("0", "0.05")] = Field(
        default="10bps",
        description="what an order may pay beyond the best price, share",
    )
    exit_slippage: Annotated[str, Share("0", "0.2")] = Field(
        default="50bps",
        description="the wider cap of an exit's last attempt, share, not below slippage",
    )
    exit_attempts: Annotated[int, Whole(1, 10)] = Field(
        default=3,
        description="attempts of an exit within one pass, evenly wider from slippage to "
        "exit_slippage",
    )
    collar: Annotated[str, Share("0.001", "0.5")] = Field(
        default="3%",
        description="distance from the last close at which a price is insane, share; only ever "
        "rejects",
    )
    collar_window: Annotated[str, Share("0.001", "1000")] = Field(
        default="25%",
        description="distance from the close of collar_window_bars earlier at which a price is "
        "insane, share; only ever rejects",
    )
    collar_window_bars: Annotated[int, Whole(1, 200)] = Field(
        default=24, description="how far back that close is, in bars of the strategy"
    )
    position: Annotated[str, Share("0.0001", "1")] = Field(
        default="5%",
        description="most exposure (value) of one position, share of equity",
    )
    positions_max: Annotated[int, Whole(0, 1_000)] = Field(
        default=5, description="open positions and entries in flight at most"
    )
    order_notional_min: Annotated[str, Amount("0", "1000000")] = Field(
        default="10", description="smallest order worth its fees, in app.quote"
    )
    order_value_max: Annotated[str, Amount("0", "10000000000")] = Field(
        default="25000", description="largest value of one entry order, in app.quote"
    )
    order_qty_max: Annotated[str, Amount("0", "1000000000000")] = Field(
        default="1000000000",
        description="largest quantity of one entry order, coins, whatever they are worth",
    )
    order_qty_max_of: dict[Annotated[str, Pair()], Annotated[str, Amount("0", "1000000000000")]] = (
        Field(
            default={},
            description="the same of single instruments: BTC/USDT: 2; in place of the above",
        )
    )
    quote_age_max: Annotated[str, Duration("100ms", "5m")] = Field(
        default="10s",
        description="oldest quote that may price or gate an order, such as 10s",
    )
    spread_max: Annotated[str, Share("0", "1")] = Field(
        default="50bps",
        description="distance between bid and ask above which nothing is opened, share of the "
        "price between them; 100%: not asked",
    )
    volume_share: Annotated[str, Share("0", "1000")] = Field(
        default="5%",
        description="largest quantity of an entry, share of what was traded in a bar on average",
    )
    volume_bars: Annotated[int, Whole(1, 200)] = Field(
        default=20, description="bars of that average, of the strategy's timeframe, the newest"
    )
    depth_share: Annotated[str, Share("0", "1000")] = Field(
        default="0",
        description="largest quantity of an entry, share of what stands at the best ask; 0: not "
        "asked",
    )
    missing_bars_max: Annotated[str, Share("0", "0.9")] = Field(
        default="10%", description="share of bars that a strategy's window may lack"
    )
    bar_jump_max: Annotated[str, Share("0.001", "10")] = Field(
        default="25%",
        description="change of the newest close at which it is implausible, share",
    )
    repaint_max: Annotated[str, Share("0", "10")] = Field(
        default="50bps",
        description="change at the venue of a bar that was decided on, from which on nothing is "
        "opened in its instrument, share",
    )
    clock_skew_max: Annotated[str, Duration("1ms", "1m")] = Field(
        default="500ms",
        description="distance between this host's clock and the venue's at which nothing is opened",
    )
    exposure_max: Annotated[str, Share("0.0001", "1")] = Field(
        default="25%",
        description="most exposure (value) of all positions and entries in flight, share of equity",
    )
    asset_max: Annotated[str, Share("0.0001", "1")] | None = Field(
        default=None,
        description="most exposure (value) of one coin, in all its instruments, share of equity; "
        "left out: exposure_max",
    )
    pending_max: Annotated[str, Share("0.0001", "1")] | None = Field(
        default=None,
        description="most value of entries whose end is not known yet, share of equity; left "
        "out: exposure_max",
    )
    correlated: Correlated = Field(default=Correlated(), description="what moves together")
    loss_max: Annotated[str, Share("0.0001", "1")] = Field(
        default="2.5%",
        description="most that is lost if every stop is hit (loss, not value), share of equity",
    )
    var: ValueAtRisk = Field(
        default=ValueAtRisk(), description="what a bad day may cost, told from the days before"
    )
    day_stop: Annotated[str, Share("0.0001", "1")] = Field(
        default="3%",
        description="loss of the account's day, marked to market, after which nothing is opened "
        "until the day ends, share of equity",
    )
    rolling_loss: Annotated[str, Share("0.0001", "1")] = Field(
        default="6%",
        description="loss over rolling_days, today included, while which nothing is opened, share "
        "of the equity at their start",
    )
    rolling_days: Annotated[int, Whole(1, 365)] = Field(
        default=7, description="days of rolling_loss, today included"
    )
    drawdown_max: Annotated[str, Share("0.0001", "1")] = Field(
        default="10%",
        description="distance below the highest equity after which nothing is opened until a "
        "named human resets the mark, share of equity",
    )
    strategy_drawdown: Annotated[str, Share("0.0001", "1000")] = Field(
        default="15%",
        description="distance of a strategy's own result below its highest, after which it opens "
        "nothing, share of its budget (budget.exposure of equity); 100000%: not asked",
    )
    trades_per_hour_max: Annotated[int, Whole(0, 1_000)] = Field(
        default=5, description="entries sent within the last hour at most"
    )
    trades_per_day_max: Annotated[int, Whole(0, 1_000)] = Field(
        default=120, description="entries sent within the last 24 hours at most"
    )
    unattended_max: Annotated[int, Whole(1, 1_000_000)] = Field(
        default=1_000,
        description="entries of one strategy that may fill before a named human looks again "
        "(trader resume --strategy)",
    )
    pyramiding: Annotated[bool, Flag()] = Field(
        default=False,
        description="whether a strategy may add to what it holds; it must allow it itself too",
    )
    trim_from: Annotated[str, Share("0", "10")] = Field(
        default="20%",
        description="positions are reduced to exposure_max and loss_max once they are above one "
        "of them by this share of it; 0: never",
    )
    approval: Annotated[str, Choice(("given", "always"))] = Field(
        default="given",
        description="whether entries need code, policy and lock that a named human approved: "
        "always, or given (once somebody has approved some)",
    )


class Cooldowns(Section):
    """How long a strategy stays out of an instrument."""

    exit: Annotated[str, Duration("0s", "30d")] = Field(
        default="30m", description="after any exit; the longer of this and exit_bars counts"
    )
    exit_bars: Annotated[int, Whole(0, 1_000)] = Field(
        default=2, description="after any exit, in bars of the strategy"
    )
    stop: Annotated[str, Duration("0s", "30d")] = Field(
        default="120m", description="after an exit by a stop"
    )
    unfilled: Annotated[str, Duration("0s", "30d")] = Field(
        default="5m", description="after an entry that ended with nothing filled"
    )


class Quality(Section):
    """What a strategy's days must show, else it goes to the shadow."""

    sharpe_min: Annotated[str, Amount("-100", "100", "off")] = Field(
        default="off",
        description="least annualised Sharpe ratio of its daily results, or off",
    )
    weeks_min: Annotated[str, Share("0", "1")] = Field(
        default="0", description="least share of weeks with a gain; 0: not asked"
    )
    days_min: Annotated[int, Whole(14, 390)] = Field(
        default=60, description="days with a result before any of it is asked"
    )


class Restricted(Section):
    """What nothing is opened in, on, with or at. Exits go on."""

    instruments: PatternList = Field(
        default=[], description="instruments or wildcards in which nothing is opened"
    )
    sides: list[Annotated[str, Choice(("buy",))]] = Field(
        default=[],
        description="sides on which nothing is opened; buy closes the account for entries",
    )
    order_types: list[Annotated[str, Choice(("limit", "post_only", "stop_limit"))]] = Field(
        default=[], description="kinds of orders with which nothing is opened"
    )
    venues: list[Annotated[str, Choice(("binance",))]] = Field(
        default=[], description="venues at which nothing is opened"
    )


class Home(Section):
    """The owner's own currency, when it is not app.quote."""

    currency: Currency = Field(
        default="", description="the owner's own currency, such as EUR; empty: it is app.quote"
    )
    rate_symbol: Annotated[str, Pair(empty=True)] = Field(
        default="",
        description="instrument whose price is one unit of it in app.quote, such as EUR/USDT; "
        "empty: none",
    )
    order_value_max: Annotated[str, Amount("0", "10000000000")] = Field(
        default="25000", description="largest value of one entry order, in home.currency"
    )
    quote_age_max: Annotated[str, Duration("100ms", "1h")] = Field(
        default="1m", description="oldest quote of rate_symbol that may gate an order"
    )


class Messages(Section):
    """Requests that change something at the venue: submit, amend, cancel."""

    per_second: Annotated[int, Whole(1, 1_000)] = Field(
        default=10, description="requests within a second at most"
    )
    per_minute: Annotated[int, Whole(1, 10_000)] = Field(
        default=120, description="requests within a minute at most"
    )
    per_day: Annotated[int, Whole(1, 1_000_000)] = Field(
        default=5_000, description="requests within 24 hours at most"
    )
    reserve: Annotated[str, Share("0", "0.9")] = Field(
        default="20%", description="share of each that entries leave to cancels and exits"
    )


class Breaker(Section):
    """When a venue that fails is left alone."""

    faults: Annotated[int, Whole(0, 1_000)] = Field(
        default=5, description="failures in a row after which nothing is opened; 0: never"
    )
    rest: Annotated[str, Duration("1s", "1d")] = Field(
        default="5m",
        description="for how long; then one entry may try, and its success ends it",
    )


class Policy(Section):
    """policy.yaml: limits, and the ready profile that they start from."""

    profile: Annotated[str, Choice(("none", "conservative", "aggressive"))] = Field(
        default="none",
        description="ready values below everything that is written here: conservative, "
        "aggressive, or none",
    )
    limits: Limits = Field(default=Limits(), description="what every order is held to")
    day: Day = Field(default=Day(), description="the account's day")
    calendar: Calendar = Field(default=Calendar(), description="when entries are allowed")
    cooldowns: Cooldowns = Field(
        default=Cooldowns(), description="how long a strategy stays out of an instrument"
    )
    quality: Quality = Field(
        default=Quality(), description="what a strategy must show, else it only watches"
    )
    restricted: Restricted = Field(
        default=Restricted(), description="what nothing is opened in, on, with or at"
    )
    home: Home = Field(default=Home(), description="the owner's own currency")
    messages: Messages = Field(
        default=Messages(), description="requests that change something at the venue"
    )
    breaker: Breaker = Field(default=Breaker(), description="when a venue that fails is left alone")
