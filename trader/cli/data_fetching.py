"""`trader data fetch`: from its options to one fetch for each pair.

Lives here: pairs and timeframe of the policy where none are named, and what is said while it runs.
Must not live here: paging (`app.data_fetch`), requests (`venues`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from trader.app.data_fetch import (
    Fetched,
    FetchProgress,
    FetchRequest,
    fetch_each,
    fetch_history,
)
from trader.app.data_view import step_of_name
from trader.bars.store import BarStore
from trader.cli.data_given import Watcher, watched
from trader.cli.given import account_setup
from trader.cli.output import say_detail
from trader.cli.times import span
from trader.domain.timeframe import timeframe_name
from trader.errors import UsageError
from trader.records import dataclass
from trader.wiring import Setup, SetupOptions, bars_folder, open_history


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for; empty where the policy says it. Times are epoch ms."""

    pairs: Sequence[str]
    timeframe: str
    since_ms: int | None
    until_ms: int | None
    replace: bool


def fetch_all(
    options: SetupOptions, wanted: Wanted, *, verbose: bool
) -> tuple[Path, list[Fetched]]:
    """(the folder, what each fetch did). Raises what `fetch_history` does; pairs before stay."""
    setup = account_setup(options, decides=False)
    timeframe = wanted.timeframe or timeframe_name(setup.run.parameters.step_ms)
    step_of_name(timeframe)
    folder = bars_folder(options, setup.settings.state_dir)
    requests = [
        FetchRequest(symbol, timeframe, wanted.since_ms, wanted.until_ms, wanted.replace)
        for symbol in wanted.pairs or _policy_pairs(setup)
    ]
    with (
        closing(open_history(setup, _waiting)) as venue,
        watched(shown=verbose) as watch,
    ):

        def fetch(request: FetchRequest) -> Fetched:
            told = _told(watch, f"{request.symbol} {timeframe}")
            return fetch_history(venue, BarStore(folder), request, setup.run.settle_ms, told)

        return folder, fetch_each(requests, fetch)


def _told(watch: Watcher | None, what: str) -> FetchProgress | None:
    if watch is None:
        return None
    return lambda done_ms, total_ms, _: watch(what, done_ms, total_ms)


def _waiting(why: str, ms: int) -> None:
    say_detail(f"waiting {span(ms)}: {why}")


def _policy_pairs(setup: Setup) -> list[str]:
    """Every instrument that a strategy of the policy names, sorted."""
    named = {symbol for spec in setup.run.parameters.strategies for symbol in spec.symbols}
    if not named:
        raise UsageError("no strategy of the policy names a pair", "name some with --pairs")
    return sorted(named)
