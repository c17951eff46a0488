"""`trader data`: bars that are kept under the state folder.

Lives here: options, and which use case is called. Must not live here: files, requests, judgement.
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from trader.cli.given import setup_options
from trader.cli.output import console, print_json, say_error
from trader.cli.typed import AsJson, Config, Now, StateDir, Verbose
from trader.errors import ExitCode, worst

app = typer.Typer(
    no_args_is_help=True,
    help="Bars: import files, fetch from the venue, check, list and show what is kept.",
)
Timeframe = Annotated[str, typer.Option(metavar="TF", help="Length of a bar, such as 1h.")]
Columns = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Names of a file's columns in order, such as time,open,close,high,low,volume.",
    ),
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Bars that differ take the place of the kept ones.")
]
Pairs = Annotated[
    list[str],
    typer.Option(
        metavar="PAIR",
        help="Such as BTC/USDT; repeatable, or several between commas.",
        default_factory=list,
        show_default=False,
    ),
]


@app.command("import")
def import_files(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[=SYMBOL]...",
            help="Bar files. The symbol, where a file's name does not say it.",
            show_default=False,
        ),
    ],
    *,
    timeframe: Timeframe = "",
    tick: Annotated[
        str, typer.Option(metavar="TICK", help="Prices are multiples of it; else told from them.")
    ] = "",
    columns: Columns = "",
    trades: Annotated[
        bool, typer.Option("--trades", help="Files of single trades: make bars of them.")
    ] = False,
    replace: Replace = False,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    verbose: Verbose,
) -> int:
    """Keep the bars of files; they join what is kept already."""
    from trader.app import data_import
    from trader.bars.store import BarStore
    from trader.cli import data_given, data_tables

    options = data_import.ImportOptions(
        timeframe or None, data_given.read_tick(tick), trades, replace, columns or None
    )
    given = [data_given.read_file(name) for name in files]
    store = BarStore(data_given.place_of(setup_options(config, state_dir)))
    with data_given.watched(shown=verbose > 0) as watch:
        done = data_import.import_files(given, store, options, data_given.by_file(watch))
    rows = [data_tables.imported_row(one) for one in done]
    if as_json:
        print_json({"store": str(store.folder), "files": rows})
    else:
        console().print(data_tables.imported_view(rows))
    return 0


@app.command()
def fetch(
    *,
    pairs: Pairs,
    timeframe: Annotated[
        str, typer.Option(metavar="TF", help="Length of a bar (default: app.timeframe).")
    ] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="First bar: ISO (UTC), epoch s or ms.")
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="Bars that open before it (default: now).")
    ] = "",
    timerange: Annotated[
        str, typer.Option(metavar="FROM-TO", help="Such as 20240101-20240601; open ends work.")
    ] = "",
    replace: Replace = False,
    now: Now,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    verbose: Verbose,
) -> int:
    """Page history from the policy's venue; run again, it goes on where it was."""
    from trader.app.data_fetch import worst_of
    from trader.cli import data_fetching, data_given, data_tables

    stretch = data_given.read_stretch(since, until, timerange)
    wanted = data_fetching.Wanted(data_given.chosen_pairs(pairs), timeframe, *stretch, replace)
    try:
        folder, done = data_fetching.fetch_all(
            setup_options(config, state_dir, now), wanted, verbose=verbose > 0
        )
    except KeyboardInterrupt:
        say_error("interrupted: each page that came is kept, the same command goes on from there")
        return int(ExitCode.INTERRUPTED)
    rows = [data_tables.fetched_row(one) for one in done]
    if as_json:
        print_json({"store": str(folder), "pairs": rows})
    else:
        console().print(data_tables.fetched_view(rows))
    error = worst_of(done)
    if error is not None:
        raise error
    return 0


@app.command("list")
def list_kept(*, pairs: Pairs, config: Config, state_dir: StateDir, as_json: AsJson) -> int:
    """List what is kept: instrument, timeframe, bars, first, last, what is missing."""
    from trader.app.data_view import list_rows
    from trader.bars.store import BarStore
    from trader.cli import data_given, data_tables

    store = BarStore(data_given.place_of(setup_options(config, state_dir)))
    rows, errors = list_rows(store, data_given.chosen_pairs(pairs))
    if as_json:
        print_json({"store": str(store.folder), "kept": rows})
    else:
        console().print(data_tables.list_view(str(store.folder), rows))
    for error in errors:
        say_error(str(error))
    return int(worst([error.code for error in errors]))


@app.command()
def show(
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="Such as BTC/USDT.")],
    *,
    timeframe: Timeframe = "",
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Show what is kept of one instrument: where from, which stretches, the newest bars."""
    from trader.app.data_view import show_kept
    from trader.bars.store import BarStore
    from trader.cli import data_given, data_tables

    store = BarStore(data_given.place_of(setup_options(config, state_dir)))
    row = show_kept(store, data_given.read_pair(pair), timeframe)
    if as_json:
        print_json(row)
    else:
        console().print(data_tables.show_view(row))
    return 0


@app.command()
def check(
    what: Annotated[
        str,
        typer.Argument(metavar="FILE[=SYMBOL]|PAIR", help="A bar file, or a pair that is kept."),
    ],
    *,
    timeframe: Timeframe = "",
    threshold: Annotated[
        str, typer.Option(metavar="PERCENT", help="Less complete bars end with exit code 3.")
    ] = "95",
    columns: Columns = "",
    picture: Annotated[
        str, typer.Option(metavar="FILE.svg", help="Also draw it: one SVG file.")
    ] = "",
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Say how good bars are: gaps, doubles, outliers, a score; code 3 when they will not do."""
    from trader.cli import data_checks, data_given

    place = data_given.place_of(setup_options(config, state_dir))
    asked = data_checks.Asked(
        what, timeframe, data_checks.read_threshold(threshold), picture, columns
    )
    found = data_checks.look(asked, place, time.time_ns() // 1_000_000)
    if as_json:
        print_json(found.row)
    else:
        console().print(data_checks.view(found))
    if found.why:
        say_error(found.why)
        return int(ExitCode.DATA)
    return 0
