"""The schema of the five files: every key with its description, safe default and bounds.

Lives here: the models of app.yaml, and of the five together (the others are in `schema_limits`,
`schema_universe` and `schema_strategies`). A key that nobody reads must not be here. Values in a
model are canonical (see `fields`), so that a dump of it is the checked form.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trader.policy.fields import Amount, Choice, LoopbackUrl, Name, Whole
from trader.policy.schema_base import Section, ShortName, Step
from trader.policy.schema_limits import Policy
from trader.policy.schema_strategies import Signals, Strategy
from trader.policy.schema_universe import Universe

Account = Annotated[str, Name("[a-z][a-z0-9-]{0,31}", "a short name: lower case, digits, dashes")]
Mode = Annotated[str, Choice(("paper", "testnet", "live"))]
Coin = Annotated[str, Name("[A-Z0-9]{2,20}", "a coin such as USDT, in capitals")]
Variable = Annotated[str, Name("[A-Z][A-Z0-9_]{0,63}", "the name of a variable, in capitals", True)]
FilePath = Annotated[str, Name("/[^\x00-\x1f]{1,200}", "an absolute path", True)]
StateFolder = Annotated[str, Name("[^\x00-\x1f]{1,200}", "a path", True)]


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


class Files(Section):
    """All five files."""

    app: App = Field(default=App(), description="app.yaml")
    policy: Policy = Field(default=Policy(), description="policy.yaml")
    universe: Universe = Field(default=Universe(), description="universe.yaml")
    signals: Signals = Field(default=Signals(), description="signals.yaml")
    strategies: dict[ShortName, Strategy] = Field(
        default={}, description="strategies.yaml: by name"
    )
