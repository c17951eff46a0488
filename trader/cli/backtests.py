"""A run of `trader backtest`.

Lives here: reading its options and handing them to the use case. Must not live here: decisions, and
typer: a run over kept bars has no time for it (see `backtest_group`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trader.app.backtest import BacktestResult, run_backtest
from trader.app.backtest_beside import costs_of, hold_of
from trader.app.backtest_inputs import BacktestInputs, BacktestOptions, build_inputs
from trader.app.backtest_report import Beside, build_summary
from trader.app.backtest_runs import KeptRun, Made, Runs, build_manifest
from trader.app.inputs import decision_inputs
from trader.app.strategy_verdicts import refuse_cheats
from trader.bars.bar_file import BarFile
from trader.build import code_hash, lock_hash
from trader.cli.backtest_options import number, read_model
from trader.cli.backtest_outputs import check_outputs, placed, show_run, write_outputs
from trader.cli.bar_files import load_files, load_pairs
from trader.cli.given import setup_options
from trader.cli.instrument_rules import rules_of
from trader.cli.progress import ProgressLine, progress_line
from trader.cli.timeranges import parse_timerange
from trader.errors import UsageError
from trader.policy.checked import Checked
from trader.policy.strategy_files import load_strategies
from trader.records import dataclass
from trader.wiring import SetupOptions, bars_folder, cache_folder, load_policy, runs_folder


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a run is made of."""

    inputs: BacktestInputs
    options: BacktestOptions
    files: Mapping[str, BarFile]
    details: Mapping[str, BarFile]
    made: Made

    def manifest(self) -> dict[str, Any]:
        """What names the run."""
        return build_manifest(self.made, self.inputs, self.options, self.files, self.details)


def backtest_command(given: Mapping[str, Any]) -> int:
    """Run the policy's strategies over bars, with the live decision code.

    `given`: values of the options of `options.LIGHT["backtest"]`.
    """
    check_outputs(given)
    setup = setup_options(given["config"], given["state_dir"])
    checked = load_policy(setup)
    with progress_line(asked=given["verbose"] > 0) as line:
        prepared = prepare(setup, checked, given, line)
        result, run = make_run(prepared, given, line)
    show_run(run, given)
    write_outputs(run, given, result)
    if not given["no_save"]:
        folder = runs_folder(setup, checked.form["app"]["state_dir"])
        with placed(folder):
            Runs(folder).save(run)
    return 0


def prepare(
    setup: SetupOptions, checked: Checked, given: Mapping[str, Any], line: ProgressLine | None
) -> Prepared:
    """Policy, bars and options brought together; raises UsageError or DataError."""
    options = read_options(checked, given)
    rules = rules_of(given["instruments"], setup)
    cache = cache_folder(setup)
    reading = line.of("reading bars") if line else None
    files = load_files(given["bars"], rules, "--bars", cache, reading)
    if given["pairs"] or not files:
        folder = bars_folder(setup, checked.form["app"]["state_dir"])
        kept = load_pairs(_pairs(checked, given, folder), given["timeframe"], rules, folder)
        doubled = sorted(set(files) & set(kept))
        if doubled:
            raise UsageError(f"--bars and --pairs both name {doubled[0]}", "give it once")
        files |= kept
    details = load_files(given["detail"], rules, "--detail", cache, reading)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, sources = decision_inputs(checked.form, texts)
    codes = {source.name: source.code for source in sources}
    inputs = build_inputs(parameters, codes, files, options, rules, details)
    refuse_cheats(inputs.parameters, sources, cache, code_hash())
    shas = {source.name: source.sha for source in sources if source.sha}
    made = Made(checked.sha, checked.source_sha, code_hash(), lock_hash(), shas)
    return Prepared(inputs, options, files, details, made)


def _pairs(checked: Checked, given: Mapping[str, Any], folder: Path) -> list[str]:
    """The pairs asked for, else those that the strategies name; raises UsageError."""
    rows = checked.form["strategies"].values()
    named = list(dict.fromkeys(symbol for row in rows for symbol in row["instruments"]))
    if not given["pairs"] and not (named and folder.is_dir()):
        raise UsageError(
            "a back-test needs bars", "name a file with --bars FILE, or kept bars with --pairs PAIR"
        )
    return given["pairs"] or named


def make_run(
    prepared: Prepared, given: Mapping[str, Any], line: ProgressLine | None
) -> tuple[BacktestResult, KeptRun]:
    """Run it, and beside it what it is held against."""
    inputs = prepared.inputs
    result = run_backtest(inputs, line.of("decision bars") if line else None)

    def again(other: BacktestInputs) -> BacktestResult:
        told = line.of("decision bars at other costs") if line else None
        return run_backtest(other, told, like=result)

    beside = Beside(
        None if given["no_costs"] else costs_of(result, again),
        hold_of(result, whole=given["buy_and_hold"]),
        None if given["no_save"] else prepared.manifest(),
    )
    trips = result.closed.rows
    lasts = not given["no_save"] or any(given[way] for way in ("as_json", "csv", "html", "png"))
    summary = build_summary(result, beside, drawn=lasts)
    return result, KeptRun(summary, trips, result.fills.rows, result.fills.names)


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
