"""`trader strategy new | list | check | explain`.

Lives here: their options, and what is gathered for them. Must not live here: the check
(`app.strategy_check`), layout (`strategy_tables`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trader.cli.given import setup_options
from trader.cli.output import console, print_json, say_detail
from trader.cli.typed import AsJson, Config, StateDir
from trader.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from trader.app.strategy_verdict import Subject
    from trader.app.strategy_views import Told
    from trader.wiring import SetupOptions

app = typer.Typer(no_args_is_help=True, help="Strategies: begin one, look at them, check them.")

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NAME_MAX = 32
# What `check` spends on one file; a cycle that meets a new one takes a first look only.
BUDGET_S, ROUNDS = 20.0, 3
FILE_TIMEFRAME, FILE_ANCHOR = "1h", 256


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Lower case, digits and single underscores.")],
    *,
    rules: Annotated[
        bool, typer.Option("--rules", help="Of rules alone: print the entry for strategies.yaml.")
    ] = False,
    config: Config,
) -> int:
    """Begin a strategy: writes strategies/NAME.py with comments (never over a file), and prints
    its entry for strategies.yaml."""
    from trader.cli.strategy_texts import FILE, FILE_ENTRY, RULES_ENTRY

    if not NAME.fullmatch(name) or len(name) > NAME_MAX:
        raise UsageError(
            f"{name!r} is not a name", "lower case, digits and single underscores, at most 32"
        )
    if rules:
        print("# for strategies.yaml; then: trader policy check")
        print(RULES_ENTRY.format(name=name), end="")
        return 0
    path = strategies_folder(config) / f"{name}.py"
    write_new(path, FILE.format(name=name))
    print(f"# {path} is written; this is for strategies.yaml, then: trader strategy check {name}")
    print(FILE_ENTRY.format(name=name), end="")
    return 0


@app.command("list")
def list_strategies(*, config: Config, state_dir: StateDir, as_json: AsJson) -> int:
    """Show every strategy: its file or rules, what it trades, its state, its last check."""
    from trader.app.strategy_views import list_rows

    rows = list_rows(gather(setup_options(config, state_dir)))
    if as_json:
        print_json(rows)
        return 0
    from trader.cli.strategy_tables import list_table

    console().print(list_table(rows))
    return 0


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="A strategy, or a Python file; none: all.")] = "",
    *,
    bars: Annotated[
        list[str],
        typer.Option(
            metavar="FILE[=SYMBOL]",
            help="Bar file to check on, besides the generated bars; repeatable.",
            default_factory=list,
            show_default=False,
        ),
    ],
    timeframe: Annotated[
        str, typer.Option(metavar="TF", help="Bars of a Python file that no policy names.")
    ] = FILE_TIMEFRAME,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Look for what a strategy file must not do: look ahead, remember, guess, read a clock."""
    from trader.app.strategy_check import check_strategy
    from trader.app.strategy_verdicts import keep_verdict
    from trader.build import code_hash
    from trader.wiring import cache_folder

    options = setup_options(config, state_dir)
    subjects = [file_subject(name, timeframe)] if name.endswith(".py") else named(options, name)
    given = given_bars(bars)
    rows: list[dict[str, Any]] = []
    for subject in subjects:
        verdict = check_strategy(subject, BUDGET_S, given, ROUNDS)
        # Whatever these bars show holds for the file; that they show nothing says less.
        if not name.endswith(".py"):
            keep_verdict(subject, verdict, cache_folder(options), code_hash())
        rows.append({"name": subject.name, "refused": verdict.refused, **verdict.row()})
    if as_json:
        print_json(rows)
    else:
        from trader.cli.strategy_tables import check_table

        console().print(check_table(rows))
    failed = [row for row in rows if row["code"]]
    for row in failed:
        if row["printed"]:
            say_detail(f"{row['name']} printed: {row['printed'].strip()}")
    return int(ExitCode.USAGE if failed else ExitCode.OK)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="A strategy of the policy.")],
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Tell what a strategy reads, its warm-up, its numbers and where they come from, its rules."""
    from trader.app.strategy_views import explain_row

    told = gather(setup_options(config, state_dir))
    if name not in told.sources:
        raise unknown(name, list(told.sources))
    row = explain_row(told, name)
    if as_json:
        print_json(row)
        return 0
    from trader.cli.strategy_tables import explain_view

    console().print(explain_view(row))
    return 0


def unknown(name: str, known: Sequence[str]) -> UsageError:
    """The policy has no such strategy."""
    from trader.policy.fields import close_to

    hint = close_to(name, known) or f"known are: {', '.join(known) or 'none'}"
    return UsageError(f"strategy {name!r} is not in the policy", hint)


def strategies_folder(config: Sequence[str]) -> Path:
    """The folder strategies/ beside the policy that -c names, else below `config/` here."""
    folders = [Path(place) for place in config if Path(place).is_dir()]
    return (folders[-1] if folders else Path("config")) / "strategies"


def write_new(path: Path, text: str) -> None:
    """A file that was not there; raises UsageError when it was, or cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        path.chmod(0o644)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", "choose another name") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "look at its folder") from error


def gather(options: SetupOptions) -> Told:
    """The strategies of the policy with what was found out about them so far."""
    from trader.app.inputs import decision_inputs
    from trader.app.strategy_verdicts import kept_verdict, subject_of
    from trader.app.strategy_views import Told
    from trader.build import code_hash
    from trader.policy.strategy_files import load_strategies
    from trader.wiring import cache_folder, load_policy

    checked = load_policy(options)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, sources = decision_inputs(checked.form, texts, tolerant=True)
    verdicts = {
        spec.name: verdict
        for spec in parameters.strategies
        if spec.name in texts
        and (
            verdict := kept_verdict(
                subject_of(spec, texts[spec.name], parameters.anchor_bars),
                cache_folder(options),
                code_hash(),
            )
        )
    }
    by_name = {source.name: source for source in sources}
    rows, origin = checked.form["strategies"], checked.origin
    return Told(parameters, by_name, rows, origin, verdicts, off_now(options))


def off_now(options: SetupOptions) -> dict[str, str]:
    """Strategies whose code is not asked any more, and why; nothing where there is no journal."""
    from trader.wiring import load_setup, open_journal

    setup = load_setup(options, decides=False)
    if not setup.places.journal.exists():
        return {}
    with open_journal(setup, read_only=True) as journal:
        books = journal.state.books.values()
        return {book.strategy: book.off_why for book in books if book.off_why}


def named(options: SetupOptions, name: str) -> list[Subject]:
    """What is checked of the policy's strategies: one, or all that have a file."""
    from trader.app.inputs import decision_inputs
    from trader.app.strategy_verdicts import subject_of
    from trader.policy.strategy_files import load_strategies
    from trader.wiring import load_policy

    checked = load_policy(options)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, _ = decision_inputs(checked.form, texts, tolerant=True)
    specs = {spec.name: spec for spec in parameters.strategies}
    if name and name not in specs:
        raise unknown(name, list(specs))
    if name and name not in texts:
        raise UsageError(
            f"strategy {name} is of rules alone", "nothing in them can look ahead or remember"
        )
    chosen = [name] if name else [each for each in specs if each in texts]
    return [subject_of(specs[each], texts[each], parameters.anchor_bars) for each in chosen]


def file_subject(path: str, timeframe: str) -> Subject:
    """A Python file by itself, with its own parameters."""
    from trader.app.strategy_verdict import Subject
    from trader.domain.timeframe import TIMEFRAMES_MS
    from trader.policy.strategy_files import StrategyFileRefused, load_strategy_file

    if timeframe not in TIMEFRAMES_MS:
        raise UsageError(f"--timeframe {timeframe!r} is none", f"one of {' '.join(TIMEFRAMES_MS)}")
    file = Path(path)
    try:
        source = load_strategy_file(file.parent, file.name)
    except StrategyFileRefused as error:
        raise UsageError(f"{path} {error.message}", error.hint) from error
    return Subject(file.stem, source.text, None, TIMEFRAMES_MS[timeframe], FILE_ANCHOR)


def given_bars(files: Sequence[str]) -> dict[str, Any]:
    """Bars of files, as strategies see them, by symbol."""
    if not files:
        return {}
    from trader.app.strategy_markets import given_market
    from trader.cli.bar_files import load_files

    return {symbol: given_market(file.series) for symbol, file in load_files(files, {}).items()}
