"""A run of `trader backtest`.

Lives here: reading its options and handing them to the use case. Must not live here: decisions, and
typer: a run over kept bars has no time for it (see `backtest_group`).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from decimal import InvalidOperation
from pathlib import Path
from typing import Any

from trader.app.backtest import Progress, run_backtest
from trader.app.backtest_inputs import BacktestOptions, build_inputs
from trader.app.backtest_report import build_report
from trader.app.inputs import decision_inputs
from trader.app.strategy_verdicts import refuse_cheats
from trader.bars.load import BarFile, load_bars
from trader.build import code_hash
from trader.cli.backtest_options import number, read_model
from trader.cli.given import setup_options
from trader.cli.output import console, print_json
from trader.cli.timeranges import parse_timerange
from trader.core.state import instrument_of
from trader.domain.instrument import Instrument
from trader.errors import UsageError
from trader.policy.checked import Checked
from trader.policy.strategy_files import load_strategies
from trader.wiring import cache_folder, load_policy


def backtest_command(given: Mapping[str, Any]) -> int:
    """Run the policy's strategies over bar files, with the live decision code.

    `given`: values of the options of `options.LIGHT["backtest"]`.
    """
    if not given["bars"]:
        raise UsageError("a back-test needs bars", "name a file with --bars FILE")
    setup = setup_options(given["config"], given["state_dir"])
    checked = load_policy(setup)
    options = read_options(checked, given)
    report = backtest_report(
        checked,
        given["bars"],
        options,
        given["instruments"],
        cache_folder(setup),
        verbose=given["verbose"] > 0,
        detail=given["detail"],
    )
    if given["as_json"]:
        print_json(report)
    else:
        from trader.cli.backtest_tables import show_report

        show_report(report, console())
    return 0


def backtest_report(
    checked: Checked,
    bars: Sequence[str],
    options: BacktestOptions,
    instruments: str,
    cache: Path,
    *,
    verbose: bool,
    detail: Sequence[str] = (),
) -> dict[str, Any]:
    """The report of one run; `cache`: where verdicts on strategy files are kept. `detail`: files of
    finer bars."""
    rules = read_rules(instruments) if instruments else {}
    files = load_files(bars, rules)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, sources = decision_inputs(checked.form, texts)
    codes = {source.name: source.code for source in sources}
    details = load_files(detail, rules, "--detail")
    inputs = build_inputs(parameters, codes, files, options, rules, details)
    refuse_cheats(inputs.parameters, sources, cache, code_hash())
    with _progress(shown=verbose) as advance:
        return build_report(run_backtest(inputs, advance))


def load_files(
    bars: Sequence[str], rules: Mapping[str, Instrument], option: str = "--bars"
) -> dict[str, BarFile]:
    """Bar files by instrument; raises UsageError or DataError."""
    files: dict[str, BarFile] = {}
    for given in bars:
        file = _load(given, rules)
        if file.symbol in files:
            raise UsageError(f"{option} names {file.symbol} twice", "give each instrument once")
        files[file.symbol] = file
    return files


def read_options(checked: Checked, given: Mapping[str, Any]) -> BacktestOptions:
    """The options as values; raises UsageError."""
    start_ms, end_ms = parse_timerange(given["timerange"])
    cash = given["starting_balance"] or checked.form["app"]["paper"]["starting_balance"]
    return BacktestOptions(
        cash=number("--starting-balance", cash, 10_000_000_000, above=True),
        start_ms=start_ms,
        end_ms=end_ms,
        strategies=tuple(given["strategy"]),
        timeframe=given["timeframe"],
        model=read_model(given),
    )


def read_rules(path: str) -> dict[str, Instrument]:
    """Instruments from JSON: a list of rows, as the journal's `instrument` entries hold them."""
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
        return {str(row["symbol"]): instrument_of(row) for row in rows}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "name a readable file") from error
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise UsageError(
            f"{path} is not a JSON list of instruments ({type(error).__name__}: {error})",
            "each needs symbol, base, quote, tick, lot, qty_min, qty_max, notional_min, "
            "fee_taker, fee_maker and active",
        ) from error


def _load(given: str, rules: Mapping[str, Instrument]) -> BarFile:
    name, mark, symbol = given.rpartition("=")
    if not mark or Path(given).exists():
        name, symbol = given, ""
    wanted = symbol.upper().replace("-", "/") or None
    spot, colon, _ = symbol.partition(":")
    if colon:
        raise UsageError(
            f"--bars names {symbol}: a perpetual or future; only spot is traded",
            f"did you mean {spot}",
        )
    if not name:
        raise UsageError(f"--bars {given!r} names no file", "write FILE=BASE/QUOTE")
    file = load_bars(name, wanted)
    known = rules.get(file.symbol)
    if known is None or known.tick == file.tick:
        return file
    return load_bars(name, file.symbol, known.tick)


@contextmanager
def _progress(*, shown: bool) -> Generator[Progress | None]:
    """A bar on stderr for whoever waits at a terminal."""
    shower = console(stderr=True)
    if not (shown or shower.is_terminal):
        yield None
        return
    from rich.progress import Progress as Bar

    with Bar(console=shower, transient=True) as bar:
        task = bar.add_task("decision bars", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance
