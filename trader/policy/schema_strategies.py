"""The schema of signals.yaml and strategies.yaml.

Lives here: models. Must not live here: rules between keys, and what a rule of the user means.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from trader.policy.fields import Amount, Choice, Duration, Flag, Name, Share, Whole
from trader.policy.schema_base import (
    WORD,
    WORD_SAY,
    PairList,
    Parameters,
    Section,
    ShortName,
    Step,
)
from trader.policy.schema_universe import TIERS
from trader.policy.size_methods import DEFAULT_METHODS, KEYS
from trader.policy.sweep_kinds import Condition, Range
from trader.policy.written_rules import Distance, Expression

SourceFile = Annotated[
    str, Name(WORD + r"\.py", "the name of a Python file below strategies/", True)
]
Lifetime = Annotated[int, Whole(1, 1_000)]
SizeShare = Annotated[str, Share("0.0001", "1")]
SizeLoss = Annotated[str, Share("0.0001", "0.2")]
STEPS_MAX = 5
WHERE_MAX = 20
BudgetShare = Annotated[str, Share("0", "1")]


class SignalDefaults(Section):
    """What a strategy takes when it does not say."""

    ttl_bars: Lifetime = Field(
        default=1, description="for how many of its bars an entry signal stays alive"
    )
    size: Annotated[str, Choice(DEFAULT_METHODS)] = Field(
        default="equity_share",
        description="size.method of a strategy that writes neither that nor size.equity_share",
    )
    equity_share: SizeShare = Field(
        default="5%",
        description="value of one position of a strategy, share of equity, where its size is such "
        "a share",
    )


class Trigger(Section):
    """A rule with a name, for use in other rules: `breakout`, or `breakout(length=55)`."""

    rule: Annotated[str, Expression(empty=False)] = Field(
        default="",
        description="an expression that is true or false on a bar; its parameters by name",
    )
    parameters: Parameters = Field(
        default={}, description="numbers of the rule; whoever uses it may override them"
    )


class Signals(Section):
    """signals.yaml: what strategies share."""

    defaults: SignalDefaults = Field(
        default=SignalDefaults(),
        description="what a strategy takes when it does not say",
    )
    presets: dict[ShortName, Parameters] = Field(
        default={},
        description="named sets of parameters; a strategy's `preset` names one",
    )
    triggers: dict[ShortName, Trigger] = Field(
        default={}, description="named rules; a strategy's rules may use them"
    )


class Size(Section):
    """How large an entry is: by one method, with the keys that belong to it."""

    method: Annotated[str, Choice(tuple(KEYS))] | None = Field(
        default=None,
        description="how the size is found; left out: equity_share where that is written, else "
        "signals.defaults.size",
    )
    equity_share: SizeShare | None = Field(
        default=None,
        description="of equity_share: value of one position, share of equity (left out: "
        "signals.defaults.equity_share); of volatility: the most it may be "
        "(policy.limits.position); of risk_parity: value of all parts together "
        "(policy.limits.exposure_max)",
    )
    notional: Annotated[str, Amount("0.01", "1000000000")] | None = Field(
        default=None,
        description="of fixed, which must have it: value of one position, in app.quote",
    )
    loss: SizeLoss | None = Field(
        default=None,
        description="of risk: what an entry loses if its stop is hit, fees and slippage both ways "
        "included, share of equity; left out: 1%",
    )
    volatility: Annotated[str, Share("0.01", "10")] | None = Field(
        default=None,
        description="of volatility: how far the value of a position moves in a year, share of "
        "equity; left out: 20%",
    )
    span: Annotated[int, Whole(2, 200)] | None = Field(
        default=None,
        description="of volatility: span of the weighted mean of squared returns, in bars; four "
        "spans of bars are read; left out: 60",
    )
    fraction: Annotated[str, Share("0.01", "1")] | None = Field(
        default=None,
        description="of kelly: how much of the Kelly share is lost if a stop is hit; left out: 25%",
    )
    trades_min: Annotated[int, Whole(5, 10_000)] | None = Field(
        default=None,
        description="of kelly: settled trades of the strategy below which nothing is bought, and "
        "against which its results are weighed; left out: 30",
    )
    loss_max: SizeLoss | None = Field(
        default=None,
        description="of kelly: the most that an entry loses if its stop is hit, share of equity; "
        "left out: 2%",
    )
    across: Annotated[str, Choice(("instruments", "strategies"))] | None = Field(
        default=None,
        description="of risk_parity: what shares the risk equally: the strategy's instruments, or "
        "all strategies that size so; left out: instruments",
    )
    bars: Annotated[int, Whole(20, 390)] | None = Field(
        default=None,
        description="of risk_parity: returns that its covariance is taken from: of common bars, or "
        "of days across strategies; left out: 120",
    )
    shrink: Annotated[str, Share("0", "1")] | None = Field(
        default=None,
        description="of risk_parity: how far the covariance is pulled toward its diagonal; left "
        "out: 20%",
    )
    notional_min: Annotated[str, Amount("0", "1000000")] = Field(
        default="0",
        description="smallest order of this strategy, in app.quote; never below "
        "policy.limits.order_notional_min",
    )


class Budget(Section):
    """What this strategy may have open; the account's limits count too."""

    exposure: BudgetShare | None = Field(
        default=None,
        description="most exposure (value) of its positions, share of equity; left out: "
        "policy.limits.exposure_max",
    )
    loss: BudgetShare | None = Field(
        default=None,
        description="most that is lost if every stop of its positions is hit, share of equity; "
        "left out: policy.limits.loss_max",
    )
    positions_max: Annotated[int, Whole(0, 1_000)] | None = Field(
        default=None,
        description="its open positions and entries in flight at most; left out: "
        "policy.limits.positions_max",
    )
    trades_per_day_max: Annotated[int, Whole(0, 1_000)] | None = Field(
        default=None,
        description="its entries sent within the last 24 hours at most; left out: "
        "policy.limits.trades_per_day_max",
    )


def _instruments_form(value: Any) -> str:
    return "word" if isinstance(value, str) else "pairs"


StrategyInstruments = Annotated[
    Annotated[Literal["universe"], Tag("word")] | Annotated[PairList, Tag("pairs")],
    Discriminator(_instruments_form),
]


class ScaleStep(Section):
    """One step of a scale-out."""

    at: Annotated[str, Distance("100", empty=False)] = Field(
        default="",
        description="distance of the step above the entry's signal close: 5%, or a rule",
    )
    share: Annotated[str, Share("0.01", "1")] = Field(
        default="", description="share of what was bought that is sold there"
    )


class Entry(Section):
    """How an entry order works."""

    style: Annotated[str, Choice(("taker", "maker"))] = Field(
        default="taker",
        description="`taker`: at the ask and the slippage cap, at once or not at all; `maker`: "
        "post-only at the bid, where it rests and never pays the spread",
    )
    ttl: Annotated[str, Duration("1s", "30d")] = Field(
        default="5m", description="of a maker: for how long its order may rest"
    )
    reprice: Annotated[str, Share("0", "0.1")] = Field(
        default="5bps",
        description="of a maker: how far the bid must have gone away before the order is moved to "
        "it, share of its price",
    )
    moves_max: Annotated[int, Whole(0, 1_000)] = Field(
        default=5, description="of a maker: how often its order is moved at most"
    )


class Sweep(Section):
    """What `trader backtest sweep` tries; nothing of it takes part in a decision."""

    ranges: dict[ShortName, Annotated[str, Range()]] = Field(
        default={},
        description="values of a parameter, by its name: `5:50:5` is from 5 to 50 in steps of 5, "
        "[20, 50, 100] these",
    )
    where: Annotated[list[Annotated[str, Condition()]], Field(max_length=WHERE_MAX)] = Field(
        default=[],
        description="conditions between parameters, such as [fast < slow]: trials that do not keep "
        "them are not made",
    )


class Strategy(Section):
    """One strategy of strategies.yaml: rules, or a Python file."""

    file: SourceFile = Field(
        default="",
        description="Python file below strategies/; empty: none when `enter` is a rule, else the "
        "strategy's name + .py",
    )
    enter: Annotated[str, Expression()] = Field(
        default="", description="rule: when to buy; a strategy has this or a file"
    )
    exit: Annotated[str, Expression()] = Field(
        default="", description="rule: as long as it holds, the position is left; empty: none"
    )
    strength: Annotated[str, Expression()] = Field(
        default="", description="rule: how much of the size to take, 0 to 1; empty: all of it"
    )
    stop: Annotated[str, Distance("0.99")] = Field(
        default="",
        description="distance of the stop below the close: 5%, or a rule such as 3 * atr(14); "
        "a strategy of rules must have one",
    )
    target: Annotated[str, Distance("100")] = Field(
        default="",
        description="distance of the profit target above the close: 10%, or a rule; empty: none",
    )
    trail: Annotated[str, Distance("0.99")] = Field(
        default="",
        description="distance at which the stop follows the highest price: 4%, or a rule; "
        "empty: it stays",
    )
    trail_from: Annotated[str, Distance("100")] = Field(
        default="",
        description="distance above the close that the highest price must have reached before the "
        "trail counts: 3%, or a rule; empty: from the first bar on",
    )
    break_even: Annotated[str, Distance("100")] = Field(
        default="",
        description="distance above the close: once the highest price has reached it, the stop "
        "goes to where leaving pays what was paid, both fees and the exit's slippage; empty: never",
    )
    scale_out: Annotated[list[ScaleStep], Field(max_length=STEPS_MAX)] = Field(
        default=[],
        description="parts that are sold as the price rises, such as [{at: 5%, share: 30%}]; at "
        "most 5, together at most all",
    )
    max_hold: Annotated[str, Duration("0s", "3650d")] = Field(
        default="0s", description="longest that a position is held, such as 3d; 0s: no end"
    )
    enabled: Annotated[bool, Flag()] = Field(
        default=True, description="whether it may open positions; exits always run"
    )
    shadow: Annotated[bool, Flag()] = Field(
        default=False,
        description="it decides and is journaled but opens nothing; exits of what it holds go on",
    )
    priority: Annotated[int, Whole(0, 1_000)] = Field(
        default=100, description="who is asked first when several want to buy: the lower number"
    )
    instruments: StrategyInstruments = Field(
        default="universe",
        description="`universe`: every pair that the tiers name, or a list of instruments of it",
    )
    tier: Annotated[str, Choice(TIERS)] | None = Field(
        default=None,
        description="the tier whose members it trades, instead of `instruments`",
    )
    timeframe: Step = Field(default="1h", description="its bars; it speaks when one has closed")
    ttl_bars: Lifetime | None = Field(
        default=None,
        description="for how many of its bars an entry signal stays alive; left out: "
        "signals.defaults.ttl_bars",
    )
    pyramiding: Annotated[bool, Flag()] = Field(
        default=False,
        description="whether it may add to what it holds; policy.limits.pyramiding must allow it",
    )
    size: Size = Field(default=Size(), description="how large an entry is")
    entry: Entry = Field(default=Entry(), description="how its entry orders work")
    budget: Budget = Field(default=Budget(), description="what it may have open")
    preset: Annotated[str, Name("(?=.{1,32}$)" + WORD, WORD_SAY, True)] = Field(
        default="",
        description="a set of signals.presets; own parameters win; empty: none",
    )
    parameters: Parameters = Field(
        default={},
        description="numbers by name: of its rules, or those of the file's PARAMETERS that differ",
    )
    sweep: Sweep = Field(
        default=Sweep(),
        description="what a sweep tries; not part of the policy's hash",
    )
