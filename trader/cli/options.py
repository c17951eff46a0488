"""The options of the command line, once: for typer, for the light path and for the documents.

Lives here: names, flags, kinds and help as plain data, and the light parser of the commands that
have no time for typer (`cycle`, `status`, a run of `backtest`). Must not live here: typer, and what
an option does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        flags: as typed. kind: `text`, `texts` (repeatable), `switch` or `count`.
        shown: placeholder of its value in help. default: of a `text` that is not given.
    """

    flags: tuple[str, ...]
    kind: str
    help: str
    shown: str = ""
    default: str = ""


OPTIONS: dict[str, Option] = {
    "config": Option(
        ("--config", "-c"),
        "texts",
        "Folder or file of the policy; repeatable, later wins; - is standard input.",
        "PATH",
    ),
    "state_dir": Option(
        ("--state-dir",),
        "text",
        "Folder of journals and locks (default: app.state_dir, $STATE_DIRECTORY, state/).",
        "DIR",
    ),
    "as_json": Option(("--json",), "switch", "Print JSON, decimals as strings."),
    "verbose": Option(("--verbose", "-v"), "count", "More on stderr; twice: still more."),
    "now": Option(
        ("--now",),
        "text",
        "Pretend that it is this time: ISO (UTC), epoch s or ms. Only with a loopback "
        "exchange.base_url, in paper or testnet mode.",
        "TIME",
    ),
    "dry_run": Option(("--dry-run",), "switch", "Print the plan; write and send nothing."),
    "watch": Option(("--watch",), "switch", "Go on until interrupted."),
}

# What `trader backtest` runs on, and where its report goes.
_RUN = {
    "bars": Option(
        ("--bars",),
        "texts",
        "Bar file or folder, as docs/data.md lists them; repeatable. The symbol, where its name "
        "does not say it.",
        "FILE[=SYMBOL]",
    ),
    "pairs": Option(
        ("--pairs",),
        "texts",
        "Instruments whose kept bars are used (see trader data); repeatable, or with commas. "
        "Without --bars and --pairs: those that the strategies name.",
        "PAIR",
    ),
    "timeframe": Option(
        ("--timeframe",), "text", "Run strategies on these bars, not on their own.", "TF"
    ),
    "timerange": Option(
        ("--timerange",), "text", "Such as 20240101-20240601; open ends work.", "FROM-TO"
    ),
    "strategy": Option(("--strategy",), "texts", "Only this strategy; repeatable.", "NAME"),
    "starting_balance": Option(
        ("--starting-balance",), "text", "Default: app.paper.starting_balance.", "CASH"
    ),
    "fee": Option(("--fee",), "text", "Fee of a fill (default: 10, or the rules').", "BPS"),
    "spread": Option(("--spread",), "text", "Distance between bid and ask (default: 2).", "BPS"),
    "instruments": Option(
        ("--instruments",),
        "text",
        "Rules of instruments; the word venue asks the policy's venue.",
        "FILE.json",
    ),
    "buy_and_hold": Option(
        ("--buy-and-hold",), "switch", "Also the metrics and the curve of buying and holding."
    ),
    "no_costs": Option(
        ("--no-costs",), "switch", "Leave out the same run at no cost and at double."
    ),
    "csv": Option(
        ("--csv",), "text", "Write fills, round trips and equity there as CSV.", "FOLDER"
    ),
    "html": Option(("--html",), "text", "Write the report there as one page.", "FILE"),
    "png": Option(("--png",), "text", "Write the report's charts there as a picture.", "FILE"),
    "no_save": Option(("--no-save",), "switch", "Do not keep the run under STATE/backtests."),
}
# What it assumes of the venue (docs/fills.md); each may stand in the file of --model too.
_MODEL = {
    "model": Option(
        ("--model",), "text", "What is assumed of the venue, fee tiers included.", "FILE.json"
    ),
    "latency": Option(
        ("--latency",),
        "text",
        "Opens until an order arrives (default: 1; 0: at the close).",
        "BARS",
    ),
    "slippage": Option(
        ("--slippage",), "text", "What a taker pays beyond the spread (default: 0).", "BPS"
    ),
    "impact": Option(
        ("--impact",),
        "text",
        "What an order of a whole bar's volume pays on top; by the square root of its share.",
        "BPS",
    ),
    "volume_share": Option(
        ("--volume-share",), "text", "Fill at most this share of what a bar traded.", "PERCENT"
    ),
    "carry_bars": Option(
        ("--carry-bars",), "text", "Opens at which a rest is tried again (default: 10).", "BARS"
    ),
    "fee_maker": Option(("--fee-maker",), "text", "Fee of a fill at rest, if another.", "BPS"),
    "fee_in": Option(
        ("--fee-in",), "text", "quote (default), base, or a third coin such as BNB.", "COIN"
    ),
    "fee_coin_price": Option(
        ("--fee-coin-price",), "text", "Price of the third coin; else its bars tell it.", "PRICE"
    ),
    "stops": Option(
        ("--stops",), "text", "Protective stops rest at the venue (default: program).", "venue"
    ),
    "timeframe_detail": Option(
        ("--timeframe-detail",), "text", "Finer bars tell what happens inside a bar.", "TF"
    ),
    "detail": Option(
        ("--detail",), "texts", "Bar file of those finer bars; repeatable.", "FILE[=SYMBOL]"
    ),
    "at_end": Option(
        ("--at-end",), "text", "mark (default) or close what the end leaves open.", "WORD"
    ),
    "delisted": Option(
        ("--delisted",), "text", "The same where an instrument's bars end before.", "WORD"
    ),
}
MODEL = tuple(_MODEL)
OPTIONS.update(_RUN | _MODEL)

LIGHT: dict[str, tuple[str, ...]] = {
    "cycle": ("config", "state_dir", "as_json", "verbose", "now", "dry_run"),
    "status": ("config", "state_dir", "as_json", "verbose", "watch"),
    "backtest": (
        "bars", "pairs", "config", "state_dir", "timeframe", "timerange", "strategy",
        "starting_balance", "fee", "spread", "instruments", "buy_and_hold", "no_costs", "as_json",
        "csv", "html", "png", "no_save", "verbose", *MODEL,
    ),
}  # fmt: skip

_EMPTY: dict[str, Any] = {"text": "", "switch": False, "count": 0}


def empty(names: Sequence[str]) -> dict[str, Any]:
    """The value of each option that was not given."""
    return {
        name: []
        if OPTIONS[name].kind == "texts"
        else OPTIONS[name].default or _EMPTY[OPTIONS[name].kind]
        for name in names
    }


def parse_light(argv: Sequence[str]) -> tuple[str, dict[str, Any]] | None:
    """(command, values by option name), or None when typer must look at it.

    Understands only whole flags and `--flag=value`, each with a plain value; whatever else is
    typed (help, clusters of letters, mistakes) is typer's, which explains it.
    """
    if not argv or argv[0] not in LIGHT:
        return None
    names = LIGHT[argv[0]]
    by_flag = {flag: name for name in names for flag in OPTIONS[name].flags}
    values = empty(names)
    rest = list(argv[1:])
    while rest:
        word, mark, joined = rest.pop(0).partition("=")
        name = by_flag.get(word)
        if name is None or (mark and not word.startswith("--")):
            return None
        kind = OPTIONS[name].kind
        if kind in {"switch", "count"}:
            if mark:
                return None
            values[name] = True if kind == "switch" else values[name] + 1
            continue
        if not mark:
            if not rest or (rest[0].startswith("-") and rest[0] != "-"):
                return None
            joined = rest.pop(0)
        if kind == "texts":
            values[name].append(joined)
        else:
            values[name] = joined
    return argv[0], values
