"""The options of `trader backtest sweep`: what it tries, and where that goes.

Lives here: their part of the one table (`options`), apart from what a cycle has to load. Must not
live here: typer, and what an option does.
"""

from __future__ import annotations

from trader.cli.options import MODEL, OPTIONS, Option

_OWN: dict[str, Option] = {
    "param": Option(
        ("--param",),
        "texts",
        "Values of a parameter instead of sweep.ranges, such as fast=5:50:5 or fast=10,20; "
        "repeatable.",
        "NAME=RANGE",
    ),
    "where": Option(
        ("--where",),
        "texts",
        "Only trials that keep it, such as 'fast < slow'; repeatable.",
        "RULE",
    ),
    "grid": Option(("--grid",), "switch", "Every point of the ranges (default)."),
    "random": Option(("--random",), "text", "So many points drawn from them, with --seed.", "N"),
    "seed": Option(("--seed",), "text", "Of --random (default: 1).", "N"),
    "list": Option(("--list",), "text", "The trials as rows, a header of parameters.", "FILE.csv"),
    "by": Option(
        ("--by",), "text", "The metric that trials are ordered by (default: sharpe).", "METRIC"
    ),
    "top": Option(("--top",), "text", "How many of the best are shown (default: 10).", "N"),
    "heat": Option(
        ("--heat",),
        "text",
        "Heat map over two parameters, across and down; auto: those with most values.",
        "X,Y",
    ),
    "workers": Option(("--workers",), "text", "Processes (default: one for each core).", "N"),
    "out": Option(
        ("--out",), "text", "Folder of the sweep (default: its own in STATE/sweeps).", "FOLDER"
    ),
    "trials_csv": Option(("--csv",), "text", "Write every trial there as CSV.", "FILE"),
    "parquet": Option(("--parquet",), "text", "Write every trial there as Parquet.", "FILE"),
    "svg": Option(("--svg",), "text", "Write the heat map there as a picture.", "FILE"),
    "page": Option(("--html",), "text", "Write table and heat map there as one page.", "FILE"),
}
OPTIONS.update(_OWN)
SWEEP = (
    "bars", "pairs", "config", "state_dir", "timeframe", "timerange", "strategy",
    "starting_balance", "fee", "spread", "instruments", *_OWN, "as_json", "verbose", *MODEL,
)  # fmt: skip
