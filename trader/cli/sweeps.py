"""`trader backtest sweep`.

Lives here: reading its options and handing them to the use case. Must not live here: which trials
there are (`app.sweeping_trials`), layout (`sweep_tables`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from trader.cli.sweep_options import SWEEP
from trader.cli.typed import taking
from trader.errors import UsageError

if TYPE_CHECKING:
    from trader.app.backtest_inputs import BacktestInputs
    from trader.app.sweeping_heat import Heat
    from trader.app.sweeping_session import Swept
    from trader.app.sweeping_trials import Trials
    from trader.policy.checked import Checked

TOP_MAX, WORKERS_MAX = 1_000, 512
SEED_MAX = (1 << 64) - 1


@taking(*SWEEP)
def sweep(context: typer.Context, **given: Any) -> int:
    """Run the back-test once for each point of a grid of parameters; Ctrl-C and again goes on."""
    del context
    return sweep_command(given)


def sweep_command(given: Mapping[str, Any]) -> int:
    """`given`: values of the options of `sweep_options.SWEEP`."""
    from trader.app.sweeping_rows import check_metric
    from trader.app.sweeping_session import perform, plan_sweep
    from trader.cli.backtests import prepare
    from trader.cli.given import setup_options
    from trader.cli.progress import progress_line
    from trader.wiring import load_policy, state_root

    by, top = (
        check_metric(given["by"] or "sharpe"),
        whole("--top", given["top"] or "10", 0, TOP_MAX),
    )
    workers = whole("--workers", given["workers"] or "0", 0, WORKERS_MAX)
    setup = setup_options(given["config"], given["state_dir"])
    checked = load_policy(setup)
    with progress_line(asked=given["verbose"] > 0) as line:
        prepared = prepare(setup, checked, given, line)
        trials = trials_of(checked, prepared.inputs, given)
        check_outputs(trials, given, by)
        plan = plan_sweep(prepared.inputs, trials, prepared.manifest())
        root = state_root(setup, checked.form["app"]["state_dir"]) / "sweeps"
        place = Path(given["out"]) if given["out"] else None
        swept = perform(plan, root, place, workers, line.of("trials") if line else None)
    try:
        show(swept, given, by, top)
    finally:
        swept.store.close()
    return 0


def trials_of(checked: Checked, inputs: BacktestInputs, given: Mapping[str, Any]) -> Trials:
    """The trials that a command line asks for; raises UsageError."""
    from trader.app.sweeping_trials import (
        Conditions,
        draw,
        grid,
        listed,
        read_axes,
        read_conditions,
    )
    from trader.policy.sweep_ranges import build_sweeps

    asked = [f"--{name}" for name in ("grid", "random", "list") if given[name]]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} exclude each other", "choose one")
    specs = inputs.parameters.strategies
    declared = build_sweeps(checked.sweeps)
    wheres = read_conditions(specs, declared, given["where"])
    if given["list"]:
        if given["param"]:
            raise UsageError("--list and --param exclude each other", "the file says the values")
        return listed(Path(given["list"]), specs, wheres)
    conditions = Conditions(read_axes(specs, declared, given["param"]), wheres, specs)
    if given["random"]:
        count = whole("--random", given["random"], 1, 10**9)
        return draw(conditions, count, whole("--seed", given["seed"] or "1", 0, SEED_MAX))
    return grid(conditions)


def check_outputs(trials: Trials, given: Mapping[str, Any], by: str) -> None:
    """What cannot be drawn or written is said before an hour was spent; raises UsageError."""
    from trader.app.sweeping_heat import build_heat, svg

    if given["heat"] or given["svg"]:
        heat = build_heat(trials.axes, (), by, heat_names(given))
        if given["svg"]:
            svg(heat)
    if given["parquet"]:
        from importlib.util import find_spec

        if find_spec("pyarrow") is None:
            raise UsageError(
                "--parquet needs the package pyarrow, which is an extra",
                'install it: pip install "trader[parquet]", or write --csv',
            )
    for name in ("trials_csv", "parquet", "svg", "page"):
        folder = Path(given[name]).absolute().parent
        if given[name] and not folder.is_dir():
            raise UsageError(f"{given[name]}: there is no folder {folder}", "make it first")


def show(swept: Swept, given: Mapping[str, Any], by: str, top: int) -> None:
    """The result, where the command line wants it."""
    from trader.app.sweeping_heat import page, svg
    from trader.app.sweeping_results import (
        build_sweep_report,
        write_bytes,
        write_csv,
        write_parquet,
    )
    from trader.cli.output import print_json

    report = build_sweep_report(swept, by, top)
    heat = _heat(swept, given, by)
    if given["trials_csv"]:
        write_csv(swept, Path(given["trials_csv"]))
    if given["parquet"]:
        write_parquet(swept, Path(given["parquet"]))
    if given["svg"] and heat is not None:
        write_bytes(Path(given["svg"]), svg(heat).encode())
    if given["page"]:
        write_bytes(Path(given["page"]), page(report, heat).encode())
    if given["as_json"]:
        axes = [axis.name for axis in swept.plan.trials.axes]
        print_json({**report, "rows": [row.plain(axes) for row in swept.store.rows()]})
        return
    from trader.cli.plain_tables import Paper
    from trader.cli.sweep_tables import show_sweep

    paper = Paper.for_stdout()
    show_sweep(report, heat if given["heat"] else None, swept, paper)
    paper.print()


def heat_names(given: Mapping[str, Any]) -> list[str]:
    """The two parameters that --heat names; none for `auto`, or when it is not given."""
    text: str = given["heat"]
    return [] if text in {"", "auto"} else [name.strip() for name in text.split(",")]


def _heat(swept: Swept, given: Mapping[str, Any], by: str) -> Heat | None:
    from trader.app.sweeping_heat import DRAWN_MAX, build_heat

    axes = swept.plan.trials.axes
    wide = [axis for axis in axes if len(axis.values) > 1]
    asked = given["heat"] or given["svg"]
    drawable = len(wide) > 1 and all(len(axis.values) <= DRAWN_MAX for axis in wide)
    if not asked and not (given["page"] and drawable):
        return None
    return build_heat(axes, swept.store.rows(), by, heat_names(given))


def whole(option: str, text: str, least: int, most: int) -> int:
    """A whole number of an option; raises UsageError."""
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise UsageError(f"{option} {text!r} is not a whole number", f"{least} to {most}")
    if not least <= int(text) <= most:
        raise UsageError(f"{option} {text} is out of range", f"{least} to {most}")
    return int(text)
