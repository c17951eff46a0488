"""What `trader data` is given: files, places, stretches of time, and who watches a long run.

Lives here: reading options. Must not live here: what is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path

from trader.cli.output import console
from trader.cli.timeranges import parse_timerange
from trader.errors import UsageError
from trader.policy.parameters import build_settings
from trader.policy.problems import Code, PolicyError
from trader.wiring import SetupOptions, bars_folder, load_policy, parse_time

# Called with (what is done, part done, whole).
Watcher = Callable[[str, int, int], None]


def place_of(options: SetupOptions) -> Path:
    """The folder of kept bars: below --state-dir, app.state_dir where there is a policy, else
    `state/`. Raises PolicyError for a policy that cannot be read."""
    if options.state_dir:
        return bars_folder(options)
    try:
        checked = load_policy(options)
    except PolicyError as error:
        absent = all(problem.code == Code.FOLDER_MISSING.name for problem in error.problems)
        if options.configs or not absent:
            raise
        return bars_folder(options)
    return bars_folder(options, build_settings(checked.form).state_dir)


def read_pair(text: str) -> str:
    """`BTC/USDT` from what users type. Raises UsageError for what is no spot instrument."""
    spot, colon, _ = text.partition(":")
    if colon:
        raise UsageError(
            f"{text} is a perpetual or future; only spot is traded", f"did you mean {spot}"
        )
    symbol = text.strip().upper().replace("-", "/").replace("_", "/")
    base, mark, quote = symbol.partition("/")
    if not (base and mark and quote) or "/" in quote:
        raise UsageError(f"{text!r} is no pair", "write BASE/QUOTE, such as BTC/USDT")
    return symbol


def read_file(given: str) -> tuple[Path, str | None]:
    """FILE or FILE=BASE/QUOTE. Raises UsageError."""
    name, mark, symbol = given.rpartition("=")
    if not mark or Path(given).exists():
        return Path(given), None
    if not name:
        raise UsageError(f"{given!r} names no file", "write FILE=BASE/QUOTE")
    return Path(name), read_pair(symbol)


def read_tick(text: str) -> Decimal | None:
    """`--tick`; None where it was not given. Raises UsageError."""
    if not text:
        return None
    try:
        tick = Decimal(text)
    except InvalidOperation:
        tick = Decimal(0)
    if not (tick.is_finite() and tick > 0):
        raise UsageError(f"--tick {text!r} is no step of a price", "write it plainly: 0.01")
    return tick


def read_stretch(since: str, until: str, timerange: str) -> tuple[int | None, int | None]:
    """(since_ms, until_ms) of --since and --until, or of --timerange. Raises UsageError."""
    if timerange and (since or until):
        raise UsageError("--timerange and --since or --until say the same", "give one of them")
    if timerange:
        return parse_timerange(timerange)
    start = parse_time(since, "--since") if since else None
    end = parse_time(until, "--until") if until else None
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--until {until} is not after --since {since}", "swap them")
    return start, end


def chosen_pairs(given: Sequence[str]) -> list[str]:
    """Pairs of --pairs, each of which may hold several between commas."""
    words = [word for text in given for word in text.split(",") if word.strip()]
    return list(dict.fromkeys(read_pair(word) for word in words))


def by_file(watch: Watcher | None) -> Callable[[Path, int, int], None] | None:
    """A watcher that is told of a file by its path."""
    if watch is None:
        return None
    return lambda path, done, total: watch(path.name, done, total)


@contextmanager
def watched(*, shown: bool) -> Generator[Watcher | None]:
    """A bar on stderr for whoever waits at a terminal; lines where -v asks for them elsewhere."""
    shower = console(stderr=True)
    if not shower.is_terminal:
        yield _lines if shown else None
        return
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=shower, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def watch(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield watch


def _lines(what: str, done: int, total: int) -> None:
    import sys

    print(f"{what}: {done * 100 // max(total, 1)} %", file=sys.stderr, flush=True)
