"""`trader demo`: the whole program at work, offline, in under a minute.

Lives here: the workspace, the local exchange for as long as it is needed, and the commands that are
run against it, which are the user's own. Must not live here: anything that only a demo can do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from typing import Annotated

import typer

from trader.cli.demo_files import MARKER, MARKER_TEXT, config_files
from trader.errors import ExitCode, UsageError, worst
from trader.records import dataclass, field

BARS_MINUTES = 2_400
# Far enough into the made bars that every window is full.
FIRST_MINUTE = 1_500
CORE = ["BTC/USDT", "ETH/USDT"]
WARM_CYCLES = 30
COLD_CYCLES = 6
PAPER_CYCLES = 4
COLD_TIMEOUT_S = 50
COMMAND_WIDTH = 80
_MINUTE_MS = 60_000
# Published defaults of the local exchange; they open nothing else.
_KEYS = {"TRADER_TESTNET_KEY": "local-key", "TRADER_TESTNET_SECRET": "local-secret"}

_PAPER = {"TRADER__APP__MODE": "paper"}

# Where a typed command must not be folded; a space again when it is shown.
_GLUE = "\N{NO-BREAK SPACE}"

Run = Callable[[list[str]], int]


@dataclass(slots=True)
class Stage:
    """The demo in progress: where it lies, when it is there, what went wrong so far, and which
    cycle is worth telling."""

    folder: Path
    run: Run
    start_ms: int = 0
    bars: list[Path] = field(default_factory=list[Path])
    codes: list[ExitCode] = field(default_factory=list[ExitCode])
    minute: int = FIRST_MINUTE
    telling: int = 1

    @property
    def options(self) -> list[str]:
        """What every command of the demo is given."""
        return ["-c", str(self.folder / "config"), "--state-dir", str(self.folder / "state")]

    def next_now(self) -> str:
        """Ten seconds into the next minute, epoch ms."""
        self.minute += 1
        return str(self.start_ms + self.minute * _MINUTE_MS + 10_000)

    def command(
        self, words: list[str], options: list[str] | None = None, *, before: str = ""
    ) -> None:
        """Say a command as the user would type it (after `before`), and run it."""
        given = self.options if options is None else options
        print(f"\n$ {before}{typed([*words, *given])}", flush=True)
        self.note(self.run([*words, *given]))

    def note(self, code: int) -> None:
        """Remember how a command ended."""
        if code:
            print(f"(exit code {code})")
        self.codes.append(ExitCode(code))


def demo(
    *,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where everything is written.")
    ] = Path("trader-demo"),
    seed: Annotated[int, typer.Option(metavar="N", help="Of the made bars and the exchange.")] = 1,
) -> int:
    """See the whole program at work: offline, no account, in under a minute."""
    from trader.cli.main import run

    began = time.monotonic()
    stage = Stage(folder, run)
    make_workspace(stage, seed)
    with serving(stage, seed):
        warm_cycles(stage)
        cold_cycles(stage)
        paper_cycles(stage)
    print("\n6. what the journals say, offline:", flush=True)
    stage.command(["status"], ["--state-dir", str(folder / "state")])
    print("(The made bars lie in 2023: by the clock on your wall, every cycle is overdue.)")
    names = [word for path in stage.bars for word in ("--bars", str(path))]
    print("\n7. the same policy and decision code over the whole of the made bars:", flush=True)
    stage.command(["backtest", *names], ["-c", str(folder / "config"), *stage.options[2:]])
    prove_journals(stage)
    say_what_next(stage, time.monotonic() - began)
    return int(worst(stage.codes))


def make_workspace(stage: Stage, seed: int) -> None:
    """An empty workspace with made bars; refuses a folder that is somebody else's."""
    from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

    folder = stage.folder
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise UsageError(
            f"{folder} exists and was not made by a demo", "choose another place with --dir"
        )
    for name in ("config", "bars", "state", "exchange"):
        shutil.rmtree(folder / name, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_text(MARKER_TEXT, encoding="utf-8")
        stage.bars = write_made_bars(
            folder / "bars", seed=seed, minutes=BARS_MINUTES, instruments=DEMO_INSTRUMENTS
        )
    except OSError as error:
        raise UsageError(
            f"cannot write into {folder}: {error.strerror}", "choose another place with --dir"
        ) from error
    print(f"Everything is written to {folder.resolve()}", flush=True)
    print(f"1. made {BARS_MINUTES} minute bars of {len(stage.bars)} instruments, seed {seed}")


@contextmanager
def serving(stage: Stage, seed: int) -> Generator[None]:
    """The local exchange, in threads of this process: it ends with it, whatever happens."""
    from trader.exchange.server import ExchangeConfig, serve_in_thread

    config = ExchangeConfig(
        bars=stage.bars,
        seed=seed,
        warm_bars=FIRST_MINUTE,
        state_dir=str(stage.folder / "exchange"),
        fsync=False,
    )
    with serve_in_thread(config) as served:
        stage.start_ms = served.exchange.clock.now_ms() - FIRST_MINUTE * _MINUTE_MS
        for name, text in config_files(served.base_url, CORE, wide=True).items():
            path = stage.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"2. a local exchange speaks Binance's REST dialect at {served.base_url}")
        os.environ.update(_KEYS)
        yield


def warm_cycles(stage: Stage) -> None:
    """Most cycles run in this process, to save the time of starting Python."""
    from trader.cli.given import account_setup, setup_options
    from trader.cli.output import print_lines
    from trader.cli.passes import one_pass

    print(f"3. {WARM_CYCLES} cycles in testnet mode over HTTP, through ccxt; those with orders:")
    for _ in range(WARM_CYCLES):
        options = setup_options(
            [str(stage.folder / "config")], str(stage.folder / "state"), stage.next_now()
        )
        setup = account_setup(options)
        done = one_pass(setup)
        stage.codes.append(done.report.code)
        if done.row["orders"] or done.report.code:
            print_lines(setup.run.parameters.mode, done.lines)
            sys.stdout.flush()
            stage.telling = done.report.cycle


def cold_cycles(stage: Stage) -> None:
    """The installed command, a process for each cycle, as a timer would start it."""
    print(f"\n4. {COLD_CYCLES} cold cycles through the installed command, as the timer runs it:")
    for _ in range(COLD_CYCLES):
        cold_command(stage, "cycle")


def paper_cycles(stage: Stage) -> None:
    """The paper venue: live quotes, fills by the back-test's own fills code."""
    print(f"\n5. {PAPER_CYCLES} cycles on the paper venue, with books of their own:")
    for _ in range(PAPER_CYCLES):
        cold_command(stage, "paper")


def prove_journals(stage: Stage) -> None:
    """Both accounts' books: whole, and every decision in them comes out the same again."""
    print("\n8. the proof, for the books of both modes:")
    for variables in ({}, _PAPER):
        # As a user chooses another account: app.mode, from the environment.
        os.environ.update(variables)
        said = "".join(f"{name}={value} \\\n    " for name, value in variables.items())
        try:
            for words in (["audit", "verify"], ["audit", "replay", "--all"]):
                stage.command(words, before=said)
        finally:
            for name in variables:
                del os.environ[name]


def cold_command(stage: Stage, word: str) -> None:
    """One pass in a fresh process."""
    words = [word, *stage.options, "--now", stage.next_now()]
    print(f"$ {typed(words)}", flush=True)
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-m", "trader", *words], timeout=COLD_TIMEOUT_S, check=False
    )
    stage.note(done.returncode)


def say_what_next(stage: Stage, seconds: float) -> None:
    """What was seen, and where to go from here."""
    folder = stage.folder
    bars = folder / "bars" / "*.gz"
    print(
        f"""
What you saw, in {seconds:.0f} s:
  cycles that reconcile, decide, write down and only then send; over HTTP to an
  exchange that matches, charges fees and keeps its own books; the same
  decisions in a back-test; the journals proven whole, and their decisions
  taken again with equal bytes.

Everything is in {folder.resolve()}:
  config/    the policy: change a number, run the back-test again
  bars/      the made bars
  state/     journals, one for each account and mode
  exchange/  the exchange's books

What to do next:
  why cycle {stage.telling} did what it did:
    {typed(["audit", "explain", str(stage.telling), *stage.options], "      ")}
  your own candles:
    trader backtest -c {folder}/config --bars YOUR.csv=BTC/USDT
  an exchange to rehearse against:
    trader exchange serve --bars {bars}
  your own policy, in config/ of this folder (paper mode, no account needed):
    trader policy check
  that policy on live quotes of the real exchange, with paper money:
    trader paper --watch"""
    )


def typed(words: list[str], indent: str = "    ") -> str:
    """A command as one would type it, over as many lines as it needs; values stay with options."""
    said = "trader"
    for before, word in pairwise(["", *words]):
        said += (_GLUE if before.startswith("-") and not word.startswith("-") else " ") + word
    lines = wrap(
        said,
        COMMAND_WIDTH - len(indent),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return " \\\n".join(lines).replace(_GLUE, " ")
