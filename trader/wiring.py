"""The composition root: policy, secrets and the host become the parts of one pass.

Lives here: the only place that reads the environment, chooses a venue and a clock, and knows where
files lie. Must not live here: what a pass does.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trader import build
from trader.app.context import Clock, PassSetup, StrategySource
from trader.app.inputs import decision_inputs
from trader.app.ports import Venue
from trader.app.strategy_facts import KeptFacts
from trader.app.strategy_verdicts import judge, without_refused
from trader.errors import UsageError, VenueUnavailable
from trader.ops.clock import SystemClock, TravelClock
from trader.ops.latch import Latch
from trader.ops.secrets import load_credentials
from trader.policy.cache import load_checked
from trader.policy.checked import Checked
from trader.policy.parameters import Settings, build_parameters, build_settings
from trader.policy.sources import find_sources
from trader.policy.strategy_files import load_strategies
from trader.records import dataclass, field

if TYPE_CHECKING:
    from trader.domain.instrument import Instrument
    from trader.journal.journal import Journal
    from trader.venues.ccxt_venue import CcxtVenue
    from trader.venues.history import History, Waiting
    from trader.venues.paper_books import BooksFile

# How long one round of parallel reads may take, as a share of the cycle's own deadline.
READS_SHARE = 3
# A venue refuses signatures that are 1 s ahead or 5 s late; beyond that bars are misjudged too.
SKEW_MS_MAX = 5_000


@dataclass(frozen=True, slots=True)
class SetupOptions:
    """What the command line says.

    Attributes:
        configs: values of -c/--config. state_dir: value of --state-dir. now: value of --now.
        stdin: text for `-c -`.
    """

    configs: tuple[str, ...] = ()
    state_dir: str = ""
    now: str = ""
    stdin: str | None = None
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path = field(default_factory=Path.cwd)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one account and mode lie."""

    folder: Path

    @property
    def journal(self) -> Path:
        """The journal's database."""
        return self.folder / "journal.db"

    @property
    def lock(self) -> Path:
        """The cycle lock."""
        return self.folder / "lock"

    @property
    def latch(self) -> Path:
        """The latch of a kill."""
        return self.folder / "latch"

    @property
    def status(self) -> Path:
        """status.json."""
        return self.folder / "status.json"

    @property
    def markets(self) -> Path:
        """The venue's listing, cached."""
        return self.folder / "markets.json"

    @property
    def paper(self) -> Path:
        """The paper venue's own books."""
        return self.folder / "paper.json"


class StopFlag:
    """Set by SIGTERM and SIGINT: the step in hand is finished, nothing new is begun."""

    def __init__(self) -> None:
        """Not set."""
        self._set = False

    def __call__(self) -> bool:
        """Whether a signal asked this process to stop."""
        return self._set

    def set(self, *_: object) -> None:
        """Ask it to stop; also a signal handler."""
        self._set = True


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a command needs: the checked policy, where things lie, and the pass itself."""

    checked: Checked
    settings: Settings
    places: Places
    run: PassSetup
    clock: Clock
    latch: Latch
    stop: StopFlag
    env: Mapping[str, str]


def state_root(options: SetupOptions, named: str = "") -> Path:
    """The state folder: --state-dir, app.state_dir, $STATE_DIRECTORY, else `state/` here."""
    chosen = options.state_dir or named or options.env.get("STATE_DIRECTORY", "") or "state"
    return options.cwd / chosen


def load_policy(options: SetupOptions) -> Checked:
    """The checked policy, from its cache when it was checked before."""
    sources = find_sources(options.configs, cwd=options.cwd, env=options.env, stdin=options.stdin)
    return load_checked(sources, options.env, cache_folder(options), build.code_hash())


def cache_folder(options: SetupOptions) -> Path:
    """Where checked policies and verdicts on strategy files are kept."""
    return state_root(options) / "cache"


def bars_folder(options: SetupOptions, named: str = "") -> Path:
    """Where imported and fetched bars are kept; `named`: app.state_dir of the policy."""
    return state_root(options, named) / "bars"


def runs_folder(options: SetupOptions, named: str = "") -> Path:
    """Where back-tests are kept; `named`: app.state_dir of the policy."""
    return state_root(options, named) / "backtests"


def load_setup(options: SetupOptions, *, decides: bool = True) -> Setup:
    """Policy, strategies, clock and places. Raises UsageError; touches no venue, no journal.

    `decides`: false for what must work whatever the strategy files are like: none is loaded.
    """
    checked = load_policy(options)
    settings = build_settings(checked.form)
    strategies: tuple[StrategySource, ...] = ()
    refused: tuple[str, ...] = ()
    if decides:
        texts = {name: source.text for name, source in load_strategies(checked).items()}
        parameters, strategies = decision_inputs(
            checked.form,
            texts,
            tolerant=True,
            kept=KeptFacts(cache_folder(options), build.code_hash()),
        )
        verdicts = judge(parameters, strategies, cache_folder(options), build.code_hash())
        strategies, refused = without_refused(parameters, strategies, verdicts)
    else:
        parameters = build_parameters(checked.form, dict.fromkeys(checked.form["strategies"], ""))
    folder = state_root(options, settings.state_dir) / f"{parameters.account}-{parameters.mode}"
    places = Places(folder)
    clock = _clock(options, settings, parameters.mode)
    latch = Latch(places.latch)
    stop = StopFlag()
    run = PassSetup(
        parameters=parameters,
        form=checked.form,
        policy_sha=checked.sha,
        source_sha=checked.source_sha,
        strategies=strategies,
        code_sha=build.code_hash(),
        lock_sha=build.lock_hash(),
        clock=clock,
        grace_ms=settings.unknown_grace_ms,
        settle_ms=settings.settle_ms,
        reads_s=settings.deadline_ms / 1000 / READS_SHARE,
        latch_level=latch.level,
        stopping=stop,
        sleep=time.sleep,
        status_path=places.status,
        skew_ms_max=0 if options.now else SKEW_MS_MAX,
        refused=refused,
    )
    return Setup(checked, settings, places, run, clock, latch, stop, options.env)


def parse_time(text: str, option: str = "--now") -> int:
    """Epoch seconds, epoch milliseconds, or an ISO 8601 time (UTC unless it says otherwise)."""
    if text.isdigit():
        value = int(text)
        return value if value >= 100_000_000_000 else value * 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is not a time", "write 2024-01-31T12:00 or epoch seconds"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def _clock(options: SetupOptions, settings: Settings, mode: str) -> Clock:
    """The host's clock, or a travelling one: only against a loopback server, never live."""
    if not options.now:
        return SystemClock()
    if not settings.base_url or mode == "live":
        raise UsageError(
            f"--now is refused in mode {mode} against a real exchange",
            "time travel needs app.exchange.base_url at a loopback address",
        )
    start_ms = parse_time(options.now)
    _set_exchange_clock(settings.base_url, start_ms, options.env)
    return TravelClock(start_ms)


def _set_exchange_clock(base_url: str, start_ms: int, env: Mapping[str, str]) -> None:
    """Take the local exchange along; another server without an admin plane keeps its own time
    (and refuses our signatures when that is too far away)."""
    from http.client import HTTPException

    from trader.exchange.client import AdminClient, AdminError

    port = urlsplit(base_url).port
    if port is None:
        return
    token = env.get("EXCHANGE_ADMIN_TOKEN", "local-admin")
    try:
        AdminClient(port, token, timeout_s=5.0).set_clock(start_ms, rate="1")
    except (AdminError, OSError, ValueError, HTTPException):
        return


def open_journal(setup: Setup, *, create: bool = False, read_only: bool = False) -> Journal:
    """The journal of this account and mode; raises JournalError."""
    from trader.journal.journal import Journal  # SQLite, which a back-test does without

    if create:
        _make_folder(setup.places.folder)
    return Journal.open(setup.places.journal, create=create, read_only=read_only)


def _make_folder(folder: Path) -> None:
    from trader.errors import JournalError

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise JournalError(
            f"cannot make the state folder {folder}: {error.strerror}",
            "give write access, or choose another place with --state-dir",
        ) from error


def open_venue(setup: Setup) -> Venue:
    """The venue of the policy's mode. Raises UsageError, VenueRefused; makes no request."""
    from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue

    mode = setup.run.parameters.mode
    if mode == "live":
        raise UsageError(
            "mode live needs an arming, which this version does not offer",
            "set app.mode to paper or testnet",
        )
    key, secret = "", ""
    if mode == "testnet":
        credentials = _credentials(setup, mode)
        key, secret = credentials["KEY"], credentials["SECRET"]
    config = CcxtConfig(
        exchange_id=setup.settings.venue,
        mode=mode,
        base_url=setup.settings.base_url,
        api_key=key,
        secret=secret,
        timeout_ms=setup.settings.timeout_ms,
        recv_window_ms=setup.settings.recv_window_ms,
        cache_path=setup.places.markets,
    )
    venue = CcxtVenue(config, setup.clock.now_ms)
    if mode == "testnet":
        return venue
    from trader.venues.paper_venue import PaperVenue

    return PaperVenue(venue, setup.places.paper, setup.clock.now_ms, _paper_balances(setup))


def open_history(setup: Setup, waiting: Waiting | None = None) -> History:
    """The public bars of the policy's venue, whatever the mode: no key is used.

    Raises UsageError, VenueRefused; makes no request.
    """
    from trader.venues.history import History

    return History(_public_venue(setup), setup.clock.now_ms, waiting=waiting)


def fetch_rules(setup: Setup) -> dict[str, Instrument]:
    """Rules of every instrument that the policy's venue lists, whatever the mode: no key is used.

    Raises UsageError, VenueUnavailable, VenueRefused.
    """
    with closing(_public_venue(setup)) as venue:
        return venue.fetch_instruments()


def _public_venue(setup: Setup) -> CcxtVenue:
    from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue

    config = CcxtConfig(
        exchange_id=setup.settings.venue,
        mode="paper",
        base_url=setup.settings.base_url,
        timeout_ms=setup.settings.timeout_ms,
        recv_window_ms=setup.settings.recv_window_ms,
        cache_path=setup.places.markets,
    )
    return CcxtVenue(config, setup.clock.now_ms)


def _credentials(setup: Setup, mode: str) -> Any:
    folder = setup.env.get("CREDENTIALS_DIRECTORY", "")
    places = setup.settings.credentials[mode]
    return load_credentials(
        mode,
        {
            "KEY": (places.key_env, places.key_file),
            "SECRET": (places.secret_env, places.secret_file),
        },
        setup.env,
        Path(folder) if folder else None,
    )


def _paper_balances(setup: Setup) -> dict[str, str]:
    return {setup.run.parameters.quote: setup.settings.starting_balance}


def move_paper_cash(setup: Setup, asset: str, amount: Decimal) -> None:
    """Add to (or take from) what the paper venue holds; other venues know for themselves."""
    if setup.run.parameters.mode == "paper":
        with _paper_file(setup).edit() as books:
            books.change(asset, amount)


def check_paper_cash(setup: Setup, asset: str, amount: Decimal) -> None:
    """Raises UsageError when the paper venue has less than `-amount` free."""
    if setup.run.parameters.mode == "paper":
        with _paper_file(setup).view() as books:
            free = books.free(asset)
        if free + amount < 0:
            raise UsageError(
                f"the paper venue has {free} {asset} free", "cancel what is at rest first"
            )


def _paper_file(setup: Setup) -> BooksFile:
    from trader.venues.paper_books import BooksFile

    def first_number() -> int:
        return setup.clock.now_ms() * 1000 + 1

    return BooksFile(setup.places.paper, _paper_balances(setup), first_number)


@contextmanager
def deadline(seconds: float, abort: Any) -> Generator[None]:
    """End the block after so many seconds of wall time: `abort` closes the venue's connections,
    and VenueUnavailable is raised in the main thread. What was committed stays; what was sent and
    not answered is unknown, as after any crash."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        abort()
        raise VenueUnavailable(
            f"the cycle did not finish within {seconds:g} s", "the next cycle reconciles"
        )

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def stop_on_signals(stop: StopFlag) -> Generator[None]:
    """SIGTERM and SIGINT ask for an orderly stop while the block runs."""
    before = {number: signal.signal(number, stop.set) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
