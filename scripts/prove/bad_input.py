#!/usr/bin/env python3
"""Claim: bad input of any kind ends with one clear sentence, its exit code, and books unchanged.

A table of broken bar files, policies, credentials, exchanges and journals is run through the
installed command. Each case must end with the documented exit code, say on stderr what is wrong
(no traceback), and leave journal and exchange books as they were.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import rehearsal
from harness import Verdict, parser_of, prove, say

from trader import wiring
from trader.app.cycle import run_cycle
from trader.errors import ExitCode
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

STRATEGIES = "flipper:\n  timeframe: 1m\n  size:\n    equity_share: 50%\n"
HEADER = "timestamp_ms,open,high,low,close,volume\n"
T0 = 1_700_006_400_000
LINES_MAX = 6


def row(minute: int, prices: str = "100.0,101.0,99.0,100.5", volume: str = "5") -> str:
    """One good line of a bar file."""
    return f"{T0 + minute * 60_000},{prices},{volume}\n"


GOOD = HEADER + "".join(row(n) for n in range(30))
BAR_FILES: dict[str, bytes | None] = {
    "missing": None,
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "half-written line": (GOOD + f"{T0 + 1_800_000},100.0,1").encode(),
    "half-written gzip": gzip.compress(GOOD.encode() * 50)[:-40],
    "no header": "".join(row(n) for n in range(30)).encode(),
    "header only": HEADER.encode(),
    "a column is not there": GOOD.replace(",close", "").encode(),
    "out of order": (HEADER + row(1) + row(0) + row(2)).encode(),
    "doubled": (HEADER + row(0) + row(1) + row(1) + row(2)).encode(),
    "NaN": (HEADER + row(0) + row(1, "NaN,101.0,99.0,100.5")).encode(),
    "negative price": (HEADER + row(0) + row(1, "100.0,101.0,-99.0,100.5")).encode(),
    "high below low": (HEADER + row(0) + row(1, "100.0,99.0,101.0,100.5")).encode(),
    "negative volume": (HEADER + row(0) + row(1, volume="-5")).encode(),
    "words": (HEADER + row(0) + "when,a,b,c,d,e\n").encode(),
}


@dataclass
class Stage:
    """One case's ground: a fresh copy of an account that has run a few cycles."""

    folder: Path
    env: dict[str, str]
    served: rehearsal.Exchange
    now_ms: int
    undo: list[Callable[[], object]] = field(default_factory=list[Callable[[], object]])

    @property
    def account(self) -> Path:
        """State folder of the account."""
        return self.folder / "state" / "rehearsal-testnet"

    @property
    def journal(self) -> Path:
        """The journal's database."""
        return self.account / "journal.db"

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Change one policy file."""
        path = self.folder / "config" / name
        path.write_text(change(path.read_text()))


@dataclass(frozen=True)
class Case:
    """What is broken, the command, the exit code, and a pattern of what must be said.

    `goes_on`: the pass still looks after what is held, and says so in the journal.
    """

    name: str
    command: tuple[str, ...]
    code: ExitCode
    says: str
    break_it: Callable[[Stage], object]
    goes_on: bool = False


CYCLE = ("cycle", "--now", "{now}")


def bar_cases() -> list[Case]:
    """Broken bar files through `trader backtest`."""
    cases: list[Case] = []
    for name, data in BAR_FILES.items():
        suffix = "csv.gz" if "gzip" in name else "csv"

        def put(stage: Stage, data: bytes | None = data, suffix: str = suffix) -> None:
            if data is not None:
                (stage.folder / f"bars.{suffix}").write_bytes(data)

        command = ("backtest", "--bars", f"bars.{suffix}=BTC/USDT")
        cases.append(Case(f"bars: {name}", command, ExitCode.DATA, rf"bars\.{suffix}", put))
    return cases


def policy_cases() -> list[Case]:
    """Broken policies through `trader cycle`."""

    def removed(stage: Stage) -> None:
        (stage.folder / "config" / "universe.yaml").unlink()

    rows: list[tuple[str, str, Callable[[Stage], object]]] = [
        ("file missing", r"universe\.yaml", removed),
        ("no folder", r"config", lambda s: shutil.rmtree(s.folder / "config")),
        ("typo", r"app\.yaml:\d+.*did you mean", lambda s: s.edit("app.yaml", _typo)),
        (
            "doubled key",
            r"app\.yaml:\d+",
            lambda s: s.edit("app.yaml", lambda t: t + "account: b\n"),
        ),
        (
            "wrong type",
            r"policy\.yaml:\d+",
            lambda s: s.edit("policy.yaml", lambda _: "limits:\n  positions_max: many\n"),
        ),
        (
            "not YAML",
            r"signals\.yaml:\d+",
            lambda s: s.edit("signals.yaml", lambda _: "a: [1,\nb: }"),
        ),
        (
            "not UTF-8",
            r"signals\.yaml",
            lambda s: (s.folder / "config" / "signals.yaml").write_bytes(b"\xff\xfe\x00a: \xd8"),
        ),
        (
            "strategy file missing",
            r"flipper\.py",
            lambda s: (s.folder / "config" / "strategies" / "flipper.py").unlink(),
        ),
        (
            "strategy file broken",
            r"flipper",
            lambda s: (s.folder / "config" / "strategies" / "flipper.py").write_text("def ("),
        ),
        (
            "base_url elsewhere",
            r"loopback",
            lambda s: s.env.update({"TRADER__APP__EXCHANGE__BASE_URL": "http://192.0.2.1:80"}),
        ),
        ("live mode", r"live", lambda s: s.env.update({"TRADER__APP__MODE": "live"})),
    ]
    goes_on = {"strategy file broken"}
    return [
        Case(f"policy: {n}", CYCLE, ExitCode.USAGE, says, do, n in goes_on) for n, says, do in rows
    ]


def _typo(text: str) -> str:
    return text.replace("account:", "acount:")


def venue_cases() -> list[Case]:
    """Credentials and exchanges that do not work."""
    signed = {"method": "GET", "path": "/api/v3/account"}

    def answer(stage: Stage, **action: object) -> None:
        stage.served.admin.faults([{"method": ".*", "path": "/api/.*", "action": action}])

    def refuse(stage: Stage) -> None:
        body = json.dumps({"code": -1022, "msg": "Signature for this request is not valid."})
        action = {"name": "answer", "status": 400, "body": body}
        stage.served.admin.faults([{**signed, "action": action}])

    def down(stage: Stage) -> None:
        stage.env["TRADER__APP__EXCHANGE__BASE_URL"] = "http://127.0.0.1:9"

    refused, unavailable = ExitCode.VENUE_REFUSED, ExitCode.VENUE_DOWN
    key, secret = "TRADER_TESTNET_KEY", "TRADER_TESTNET_SECRET"
    return [
        Case("key wrong", CYCLE, refused, "-2015|key", lambda s: s.env.update({key: "wrong"})),
        Case("secret wrong", CYCLE, refused, "-1022|ign", lambda s: s.env.update({secret: "bad"})),
        Case("key not there", CYCLE, ExitCode.USAGE, key, lambda s: s.env.pop(key)),
        Case("signature refused", CYCLE, refused, "-1022|ign", refuse),
        Case("exchange down", CYCLE, unavailable, "127.0.0.1|binance", down),
        Case("HTML", CYCLE, unavailable, ".", lambda s: answer(s, name="html_502")),
        Case("HTML with 200", CYCLE, unavailable, ".", lambda s: answer(s, name="html_200")),
        Case("cut JSON", CYCLE, unavailable, ".", lambda s: answer(s, name="cut_json")),
        Case("null", CYCLE, unavailable, ".", lambda s: answer(s, name="null")),
    ]


def journal_cases() -> list[Case]:
    """Journals that cannot be written."""

    def lock(stage: Stage) -> None:
        other = sqlite3.connect(stage.journal, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        stage.undo.append(other.close)

    def newer(stage: Stage) -> None:
        with closing(sqlite3.connect(stage.journal, isolation_level=None)) as other:
            columns = [row[1] for row in other.execute("PRAGMA table_info(migrations)")]
            values = ", ".join("'9999_from_the_future'" for _ in columns)
            other.execute(f"INSERT INTO migrations VALUES ({values})")  # noqa: S608 - our own names

    def corrupt(stage: Stage) -> None:
        data = bytearray(stage.journal.read_bytes())
        data[100:4000] = os.urandom(3900)
        stage.journal.write_bytes(bytes(data))

    cases = [
        ("locked", "lock", lock),
        ("newer schema", "newer|schema", newer),
        ("corrupt", "journal", corrupt),
        ("not a journal", "journal", lambda s: s.journal.write_bytes(b"hello " * 4000)),
        ("head file gone", "head", lambda s: (s.account / "journal.head").unlink()),
    ]
    if can_mount():
        cases += [
            ("read-only", "read-only|Read-only", read_only),
            ("disk full", "full|space", full),
        ]
    return [Case(f"journal: {n}", CYCLE, ExitCode.JOURNAL, says, do) for n, says, do in cases]


def can_mount() -> bool:
    """Whether this process may mount; else the two cases that need it are left out, aloud."""
    with tempfile.TemporaryDirectory() as place:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True, check=False
        )
        if made.returncode == 0:
            subprocess.run(["umount", place], check=True)
            return True
    say("left out: read-only and full disk need the right to mount")
    return False


def _mount(stage: Stage, *options: str) -> None:
    """The account's folder on a small file system of its own (root only)."""
    kept = stage.folder / "kept"
    shutil.copytree(stage.account, kept)
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", stage.account], check=True)
    stage.undo.append(lambda: subprocess.run(["umount", "-l", stage.account], check=True))
    for path in kept.iterdir():
        shutil.copy2(path, stage.account / path.name)


def read_only(stage: Stage) -> None:
    """The folder on a read-only file system."""
    _mount(stage)
    subprocess.run(["mount", "-o", "remount,ro", stage.account], check=True)


def full(stage: Stage) -> None:
    """The folder on a file system without a free byte."""
    size = sum(path.stat().st_size for path in stage.account.iterdir())
    _mount(stage, "-o", f"size={size // 4096 * 4096 + 65_536}")
    filler = stage.account / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


def run_case(case: Case, stage: Stage) -> list[str]:
    """Break it, run it, judge it; problems in words."""
    books = fingerprint(stage)
    try:
        case.break_it(stage)
        moment = datetime.fromtimestamp(stage.now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        command = [part.replace("{now}", moment) for part in case.command]
        done = subprocess.run(
            [sys.executable, "-m", "trader", *command],
            cwd=stage.folder,
            env={**stage.env, "PYTHONPATH": str(rehearsal.ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        may_change = case.goes_on or "journal" in case.name
        untouched = may_change or fingerprint(stage) == books
        orders = len(stage.served.admin.books()["orders"])
    finally:
        stage.served.admin.clear_faults()
        for undo in reversed(stage.undo):
            undo()
    said = done.stderr.strip()
    problems: list[str] = []
    if done.returncode != case.code:
        problems.append(f"exit {done.returncode}, not {int(case.code)}")
    if not re.search(case.says, said):
        problems.append(f"does not say {case.says!r}")
    if "Traceback" in said or not 0 < len(said.splitlines()) <= LINES_MAX:
        problems.append(f"{len(said.splitlines())} lines on stderr")
    if not untouched:
        problems.append("the journal was changed")
    if orders != books[1]:
        problems.append("an order was sent")
    return [f"{case.name}: {problem}: {said[:300]}" for problem in problems]


def fingerprint(stage: Stage) -> tuple[str, int]:
    """Head of the journal, and how many orders the exchange knows."""
    with closing(sqlite3.connect(stage.journal)) as journal:
        head = journal.execute("SELECT hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return str(head[0]), len(stage.served.admin.books()["orders"])


def run(arguments: argparse.Namespace) -> Verdict:
    """Every case on a fresh copy of the same account."""
    problems: list[str] = []
    cases = [*bar_cases(), *policy_cases(), *venue_cases(), *journal_cases()]
    if arguments.quick:
        cases = random.Random(arguments.seed).sample(cases, 20)
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch) / "base"
        made = write_made_bars(
            Path(scratch) / "bars", arguments.seed, 1_000, instruments=DEMO_INSTRUMENTS[:1]
        )
        rehearsal.write_config(base, STRATEGIES, ["BTC/USDT"], "", "1m")
        with rehearsal.exchange([f"{made[0]}=BTCUSDT"]) as served:
            env = rehearsal.environment(served.url)
            now_ms = int(served.admin.clock()["now_ms"])
            warm_up(base, served, env, now_ms)
            for number, case in enumerate(cases):
                folder = Path(scratch) / f"case{number}"
                shutil.copytree(base, folder)
                at_ms = now_ms + 10 * rehearsal.MINUTE_MS
                found = run_case(case, Stage(folder, dict(env), served, at_ms))
                problems += found
                say(f"{'FAIL' if found else 'ok  '} {case.name}")
    for problem in problems:
        say(f"PROBLEM {problem}")
    return Verdict(not problems, len(cases), {"problems": len(problems)})


def warm_up(base: Path, served: rehearsal.Exchange, env: dict[str, str], now_ms: int) -> None:
    """A few cycles, so that there are books that could be harmed."""
    clock = rehearsal.HandClock()
    setup = rehearsal.load(base, env, clock)
    venue = wiring.open_venue(setup)
    with wiring.open_journal(setup, create=True) as journal:
        for number in range(5):
            rehearsal.move(served, clock, now_ms + number * rehearsal.MINUTE_MS)
            run_cycle(setup.run, venue, journal)


if __name__ == "__main__":
    sys.exit(prove("bad_input", run, parser_of("bad_input", __doc__)))
