"""The schema of the five files: every key with its description, safe default and bounds.

Lives here: the pydantic models and nothing else; a key that nobody reads must not be here. Values
in a model are canonical (see `fields`), so that a dump of it is the checked form.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from trader.policy.fields import (
    Amount,
    Choice,
    Duration,
    Flag,
    LoopbackUrl,
    Name,
    Number,
    Pair,
    Share,
    Timeframe,
    Whole,
)

WORD = "[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
WORD_SAY = "a name in lower case (letters, digits, single underscores)"

Account = Annotated[str, Name("[a-z][a-z0-9-]{0,31}", "a short name: lower case, digits, dashes")]
Mode = Annotated[str, Choice(("paper", "testnet", "live"))]
Coin = Annotated[str, Name("[A-Z0-9]{2,20}", "a coin such as USDT, in capitals")]
Step = Annotated[str, Timeframe()]
Variable = Annotated[str, Name("[A-Z][A-Z0-9_]{0,63}", "the name of a variable, in capitals", True)]
FilePath = Annotated[str, Name("/[^\x00-\x1f]{1,200}", "an absolute path", True)]
StateFolder = Annotated[str, Name("[^\x00-\x1f]{1,200}", "a path", True)]
ShortName = Annotated[str, Name("(?=.{1,32}$)" + WORD, WORD_SAY)]
SourceFile = Annotated[
    str, Name(WORD + r"\.py", "the name of a Python file below strategies/", True)
]
PairList = list[Annotated[str, Pair()]]
Parameters = dict[ShortName, Annotated[str | int, Number()]]


class Section(BaseModel):
    """What every part of the schema has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class _CredentialFiles(Section):
    """Where the key and secret of one mode are; never the key itself."""

    key_file: FilePath = Field(default="", description="file that holds the API key; empty: none")
    secret_file: FilePath = Field(
        default="", description="file that holds the API secret; empty: none"
    )


class SandboxCredential(_CredentialFiles):
    """Credentials of mode testnet."""

    key_env: Variable = Field(
        default="TRADER_TESTNET_KEY",
        description="variable that holds the API key; empty: none",
    )
    secret_env: Variable = Field(
        default="TRADER_TESTNET_SECRET",
        description="variable that holds the API secret; empty: none",
    )


class LiveCredential(_CredentialFiles):
    """Credentials of mode live."""

    key_env: Variable = Field(
        default="TRADER_LIVE_KEY",
        description="variable that holds the API key; empty: none",
    )
    secret_env: Variable = Field(
        default="TRADER_LIVE_SECRET",
        description="variable that holds the API secret; empty: none",
    )


class Credentials(Section):
    """Names of variables or files, per mode; paper needs none."""

    testnet: SandboxCredential = Field(
        default=SandboxCredential(), description="credentials of mode testnet"
    )
    live: LiveCredential = Field(default=LiveCredential(), description="credentials of mode live")


class Exchange(Section):
    """The venue, and how long to wait for it."""

    name: Annotated[str, Choice(("binance",))] = Field(
        default="binance", description="the venue, as ccxt calls it"
    )
    base_url: Annotated[str, LoopbackUrl()] = Field(
        default="",
        description="another server that speaks the venue's dialect; loopback hosts only, and "
        "only in paper and testnet mode; empty: the venue's own address",
    )
    timeout_ms: Annotated[int, Whole(100, 30_000, "ms")] = Field(
        default=5_000, description="longest wait for one answer, milliseconds"
    )
    recv_window_ms: Annotated[int, Whole(100, 60_000, "ms")] = Field(
        default=5_000,
        description="how late the venue may accept a signed request, milliseconds",
    )
    unknown_grace_ms: Annotated[int, Whole(1_000, 3_600_000, "ms")] = Field(
        default=30_000,
        description="how long an order of unknown outcome may still appear at the venue, "
        "milliseconds; only after that does its absence count as evidence",
    )
    credentials: Credentials = Field(
        default=Credentials(),
        description="where keys are found; never the keys themselves",
    )


class Cycle(Section):
    """The bounds of one pass."""

    deadline_ms: Annotated[int, Whole(1_000, 54_000, "ms")] = Field(
        default=45_000,
        description="a pass ends within this time, milliseconds; below the minute of its timer",
    )
    settle_ms: Annotated[int, Whole(0, 30_000, "ms")] = Field(
        default=2_000,
        description="longest wait for a just-closed bar to be final at the venue, milliseconds",
    )
    anchor_bars: Annotated[int, Whole(1, 100_000)] = Field(
        default=256,
        description="signals are evaluated from anchors this many bars apart; part of their "
        "meaning: a change may change decisions",
    )


class Paper(Section):
    """The paper venue."""

    starting_balance: Annotated[str, Amount("0", "10000000000")] = Field(
        default="10000", description="cash the paper venue starts with, in app.quote"
    )


class App(Section):
    """app.yaml: the account, its mode and its venue."""

    account: Account = Field(
        default="demo",
        description="name of the books; with the mode it names every order",
    )
    mode: Mode = Field(default="paper", description="paper, testnet or live")
    quote: Coin = Field(default="USDT", description="the one settlement currency")
    timeframe: Step = Field(default="1m", description="decision bars: one plan per bar")
    capital: Annotated[str, Amount("0.00000001", "10000000000", "all")] = Field(
        default="all",
        description="the slice of the account to work with, in app.quote, or all",
    )
    cash_max: Annotated[str, Amount("1", "10000000000")] = Field(
        default="100000000",
        description="the most cash that exact arithmetic must hold, in app.quote",
    )
    state_dir: StateFolder = Field(
        default="",
        description="folder of journal and locks; empty: $STATE_DIRECTORY, else state/",
    )
    exchange: Exchange = Field(default=Exchange(), description="the venue")
    cycle: Cycle = Field(default=Cycle(), description="the bounds of one pass")
    paper: Paper = Field(default=Paper(), description="the paper venue")


class Limits(Section):
    """What every order is held to."""

    slippage: Annotated[str, Share("0", "0.05")] = Field(
        default="10bps",
        description="what an order may pay beyond the best price, share",
    )
    exit_slippage: Annotated[str, Share("0", "0.2")] = Field(
        default="50bps",
        description="the wider cap of an exit's second attempt, share, not below slippage",
    )
    collar: Annotated[str, Share("0.001", "0.5")] = Field(
        default="3%",
        description="distance from the last close at which a price is insane, share; only ever "
        "rejects",
    )
    position: Annotated[str, Share("0.0001", "1")] = Field(
        default="10%",
        description="most exposure (value) of one position, share of equity",
    )
    positions_max: Annotated[int, Whole(0, 1_000)] = Field(
        default=5, description="open positions and entries in flight at most"
    )
    order_notional_min: Annotated[str, Amount("0", "1000000")] = Field(
        default="10", description="smallest order worth its fees, in app.quote"
    )
    quote_age_max: Annotated[str, Duration("100ms", "5m")] = Field(
        default="10s",
        description="oldest quote that may price or gate an order, such as 10s",
    )
    missing_bars_max: Annotated[str, Share("0", "0.9")] = Field(
        default="10%", description="share of bars that a strategy's window may lack"
    )
    bar_jump_max: Annotated[str, Share("0.001", "10")] = Field(
        default="25%",
        description="change of the newest close at which it is implausible, share",
    )


class Policy(Section):
    """policy.yaml: limits."""

    limits: Limits = Field(default=Limits(), description="what every order is held to")


class Universe(Section):
    """universe.yaml: what may be traded."""

    instruments: PairList = Field(
        default=[],
        description="the instruments that strategies may name, such as BTC/USDT",
    )


class SignalDefaults(Section):
    """What a strategy takes when it does not say."""

    ttl_bars: Annotated[int, Whole(1, 1_000)] = Field(
        default=1, description="for how many of its bars an entry signal stays alive"
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


class Size(Section):
    """How large an entry is."""

    equity_share: Annotated[str, Share("0.0001", "1")] = Field(
        default="2%", description="value of one position, share of equity"
    )


def _instruments_form(value: Any) -> str:
    return "word" if isinstance(value, str) else "pairs"


StrategyInstruments = Annotated[
    Annotated[Literal["universe"], Tag("word")] | Annotated[PairList, Tag("pairs")],
    Discriminator(_instruments_form),
]


class Strategy(Section):
    """One strategy of strategies.yaml."""

    file: SourceFile = Field(
        default="",
        description="Python file below strategies/; empty: the strategy's name + .py",
    )
    enabled: Annotated[bool, Flag()] = Field(
        default=True, description="whether it may open positions; exits always run"
    )
    instruments: StrategyInstruments = Field(
        default="universe",
        description="`universe`, or a list of instruments of the universe",
    )
    timeframe: Step = Field(default="1h", description="its bars; it speaks when one has closed")
    ttl_bars: Annotated[int, Whole(1, 1_000)] | None = Field(
        default=None,
        description="for how many of its bars an entry signal stays alive; left out: "
        "signals.defaults.ttl_bars",
    )
    size: Size = Field(default=Size(), description="how large an entry is")
    preset: Annotated[str, Name("(?=.{1,32}$)" + WORD, WORD_SAY, True)] = Field(
        default="",
        description="a set of signals.presets; own parameters win; empty: none",
    )
    parameters: Parameters = Field(
        default={},
        description="numbers of the strategy file's PARAMETERS that differ from there",
    )


class Files(Section):
    """All five files."""

    app: App = Field(default=App(), description="app.yaml")
    policy: Policy = Field(default=Policy(), description="policy.yaml")
    universe: Universe = Field(default=Universe(), description="universe.yaml")
    signals: Signals = Field(default=Signals(), description="signals.yaml")
    strategies: dict[ShortName, Strategy] = Field(
        default={}, description="strategies.yaml: by name"
    )
