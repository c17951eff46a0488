#!/usr/bin/env python3
"""Claim: a policy that is broken is refused with every problem named; a contradiction with its fix.

Over the tables of broken files (tests/policy/broken_*.py): `trader policy check` ends with exit 2,
names every problem with file and line, shows no traceback, and stays within a bound of time and
memory, 50 MB of YAML included; most rows in this process, a sample and all that is huge by the
installed command. Several files broken at once are told at once. Each rule between keys finds its
bad example (tests/policy/incoherent*.py) at its line, with a code and a fix, and says nothing of
the good one; a code without an example fails.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import Verdict, parser_of, prove, say

from trader.errors import ExitCode
from trader.policy import coherence
from trader.policy.checking import examine
from trader.policy.coherence_app import timeframe_venue
from trader.policy.problems import Problem
from trader.policy.reading import Mark, Node
from trader.policy.sources import find_sources
from trader.policy.venue_facts import VENUES, VenueFacts

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.policy.broken_kinds import Row  # noqa: E402 - found only from the root of the checkout
from tests.policy.broken_tables import (  # noqa: E402 - see above
    TABLES,
    all_rows,
    rows_with_text,
)
from tests.policy.good_policy import write_files  # noqa: E402 - see above
from tests.policy.incoherent import EXAMPLES  # noqa: E402 - see above

WAYS_MIN = 60
# Generous on purpose: a slow, busy machine must not fail what is bounded.
SECONDS_MAX = 20.0
CPU_S_MAX = 10.0
MEMORY_MB_MAX = 300
MIB = 1 << 20
HUGE_BYTES = 50 * MIB

Files = Mapping[str, str | bytes | None]


@dataclass
class Tally:
    """What was looked at, what was worst, and what was wrong."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    problems: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    cpu_s: float = 0.0
    memory_mb: int = 0

    def count(self, what: str) -> None:
        """One more of a kind."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def wrong(self, what: str) -> None:
        """One thing that does not hold."""
        self.problems.append(what)
        say(f"PROBLEM {what[:400]}")


def told(problems: list[Problem]) -> list[str]:
    """Problems as the tables write them."""
    return [f"{p.line} {p.code} {p.where}" for p in problems]


def judged(files: Files) -> tuple[list[Problem], list[Problem]]:
    """Problems and warnings of the good policy with these files replaced, in this process."""
    with tempfile.TemporaryDirectory() as place:
        write_files(Path(place) / "config", files)
        sources = find_sources([], cwd=Path(place), env={})
        _, problems, warnings = examine(sources, {})
    return problems, warnings


def prove_rows(tally: Tally) -> None:
    """Every row in this process: every problem, its line, its key."""
    for file, rows in TABLES.items():
        texts = {row.text for row in rows_with_text(file)}
        if len(texts) < WAYS_MIN or len(rows) < WAYS_MIN:
            tally.wrong(f"{file}.yaml is broken in {len(rows)} ways of its own, not {WAYS_MIN}")
    for row in all_rows():
        began = time.perf_counter()
        problems, _ = judged({row.file: row.text})
        tally.seconds = max(tally.seconds, time.perf_counter() - began)
        tally.count("rows")
        if told(problems) != row.expected or row.part not in str(problems[0]):
            tally.wrong(f"{row.file}: {row.text[:80]!r} gave {[str(p) for p in problems]}")


def prove_together(tally: Tally, chance: random.Random, rounds: int) -> None:
    """Several files broken at once: what each gives alone is told of it among the others.

    Left out is what may be about another file that is broken too: rules between keys, and rules
    of strategies and regimes, which may use triggers of signals.yaml.
    """
    between = coherence_codes()
    rows = [row for row in all_rows() if not codes_of(row) & between]
    plain = {
        file: [row for row in rows if row.file == file and not uses_triggers(row)]
        for file in TABLES
    }
    for _ in range(rounds):
        files = chance.sample(sorted(TABLES), chance.randint(2, 5))
        chosen = [chance.choice(plain[file]) for file in files]
        problems, _ = judged({row.file: row.text for row in chosen})
        for row in chosen:
            own = [p for p in problems if p.file == f"config/{row.file}.yaml"]
            missing = set(row.expected) - set(told(own))
            if missing:
                tally.wrong(f"{missing} of {row.file} {row.text[:60]!r} is not told among others")
        tally.count("together")


def uses_triggers(row: Row) -> bool:
    """Whether what is said depends on signals.yaml."""
    of_rules = {code for code in codes_of(row) if code.startswith(("RULE_", "PARAMETER_"))}
    return row.file != "signals" and bool(of_rules)


def codes_of(row: Row) -> set[str]:
    """The codes that a row gives."""
    return {one.split()[1] for one in row.expected}


def coherence_codes() -> set[str]:
    """Every code that a rule between keys gives, from the rules' sources."""
    paths = sorted(Path(coherence.__file__).parent.glob("coherence_*.py"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return {name for text in texts for name in re.findall(r"\bCode\.([A-Z_]+)", text)}


def prove_coherence(tally: Tally) -> None:
    """Each rule between keys with a bad and a good example."""
    for example in EXAMPLES:
        problems, warnings = judged(example.bad)
        found = [p for p in (warnings if example.warning else problems) if p.code == example.code]
        places = [f"{p.file.removeprefix('config/')}:{p.line}" for p in found]
        name = f"{example.code} at {example.place}"
        if places != [example.place] or example.part not in str(found[0]):
            tally.wrong(f"{name} is not found: {[str(p) for p in (*problems, *warnings)]}")
        elif not found[0].hint:
            tally.wrong(f"{name} says no fix")
        problems, warnings = judged(example.good)
        if problems or example.code in {p.code for p in warnings}:
            tally.wrong(f"{name}: its good example gives {[str(p) for p in problems]}")
        tally.count("examples")
    # No venue that can be named today lacks a timeframe: one that does is put in its place.
    form = {
        "app": {"timeframe": "1m", "exchange": {"name": "elsewhere"}},
        "universe": {"timeframe": "1h", "regime": None},
        "strategies": {"a": {"timeframe": "4h"}},
    }
    tree = Node({}, Mark("", 0, 0))
    for timeframes, expected in ((("1m", "1h"), 1), (("1m", "1h", "4h"), 0)):
        VENUES["elsewhere"] = replaced(timeframes)
        if len(list(timeframe_venue(form, tree))) != expected:
            tally.wrong(f"TIMEFRAME_VENUE with a venue of {timeframes}")
        tally.count("examples")
    del VENUES["elsewhere"]
    shown = {example.code for example in EXAMPLES} | {"TIMEFRAME_VENUE"}
    for code in sorted(shown ^ coherence_codes()):
        tally.wrong(f"{code} is a rule without example, or an example without rule")


def replaced(timeframes: tuple[str, ...]) -> VenueFacts:
    """The facts of a venue that serves only these bars."""
    return replace(VENUES["binance"], timeframes=timeframes)


# --- by the installed command --------------------------------------------------------------------


@dataclass(frozen=True)
class Huge:
    """A text of `HUGE_BYTES` that is never held: what it starts with, and what is repeated."""

    head: bytes
    unit: bytes

    def write(self, path: Path) -> None:
        """Into a file, in pieces."""
        piece = self.unit * (MIB // len(self.unit) + 1)
        with path.open("wb") as sink:
            sink.write(self.head)
            while sink.tell() < HUGE_BYTES:
                sink.write(piece)


@dataclass(frozen=True)
class Case:
    """Files, what must stand on stderr, huge files, and a huge standard input."""

    name: str
    files: Files
    says: tuple[str, ...]
    huge: Mapping[str, Huge] = field(default_factory=dict[str, Huge])
    stdin: Huge | None = None


def case_of(row: Row) -> Case:
    """A row by the command: each problem's file, line and code."""
    says: list[str] = []
    for one in row.expected:
        line, code = one.split()[:2]
        place = f"{row.file}.yaml:{line}" if line != "0" else f"{row.file}.yaml"
        says.append(rf"config/{re.escape(place)}(:\d+)?: {code} ")
    return Case(f"{row.file}: {row.text[:50]!r}", {row.file: row.text}, tuple(says))


HUGE = {
    "comments": Huge(b"", b"# x\n"),
    "one list": Huge(b"a: [", b"x, "),
    "one line": Huge(b"a: ", b"x"),
    "keys": Huge(b"", b"k: 1\n"),
    "brackets": Huge(b"a: ", b"["),
    "mappings": Huge(b"", b"{a: "),
    "zeros": Huge(b"", bytes(1)),
}


def huge_cases() -> Iterator[Case]:
    """What would be without bound elsewhere."""
    for name, text in HUGE.items():
        says = (r"policy\.yaml: TOO_LARGE ",)
        yield Case(f"50 MB of {name}", {}, says, {"policy": text})
    every = dict.fromkeys(TABLES, HUGE["comments"])
    says = tuple(rf"{file}\.yaml: TOO_LARGE " for file in TABLES)
    yield Case("50 MB five times", {}, says, every)
    yield Case("50 MB on standard input", {}, ("<stdin>: TOO_LARGE ",), {}, HUGE["one list"])


def bomb_cases() -> Iterator[Case]:
    """Small texts that mean much."""
    doubling = "triggers:\n  t0: {rule: close > 1}\n" + "".join(
        f"  t{n}: {{rule: t{n - 1} and t{n - 1}}}\n" for n in range(1, 60)
    )
    yield Case("triggers that double", {"signals": doubling}, (r"signals\.yaml:\d+.*RULE_",))
    for size, code in ((20, "RULE_CYCLE"), (150, "RULE_(CYCLE|TOO_LARGE)")):
        ring = "".join(f"  t{n}: {{rule: t{(n + 1) % size}}}\n" for n in range(size))
        says = (rf"signals\.yaml:\d+.*{code}",)
        yield Case(f"a ring of {size} triggers", {"signals": f"triggers:\n{ring}"}, says)
    many = "".join(f"k{n}: {{enabled: maybe}}\n" for n in range(6_000))
    yield Case(
        "6,000 strategies",
        {"strategies": many},
        (r"strategies\.yaml:1:", r"strategies\.yaml:6000:"),
    )
    wide = "".join(
        f"s{n}:\n  stop: 5%\n  enter: {' and '.join(['rsi(14) < 3 * clos'] * 80)}\n"
        for n in range(150)
    )
    yield Case("150 long rules", {"strategies": wide}, (r"strategies\.yaml:450:.*RULE_NAME",))
    keys = "".join(f"colar{n}: 1\n" for n in range(9_000))
    yield Case("9,000 typos", {"policy": keys}, (r"policy\.yaml:9000: UNKNOWN_KEY",))


def prove_by_command(tally: Tally, cases: list[Case]) -> None:
    """The installed command: exit code, sentences, no traceback, bounded time and memory."""
    for case in cases:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write_files(folder / "config", case.files)
            for file, text in case.huge.items():
                text.write(folder / "config" / f"{file}.yaml")
            words = ["policy", "check"]
            if case.stdin is not None:
                case.stdin.write(folder / "stdin")
                words += ["-c", "config", "-c", "-"]
            code, said, cpu_s, memory_mb = run_command(folder, words)
        tally.cpu_s, tally.memory_mb = max(tally.cpu_s, cpu_s), max(tally.memory_mb, memory_mb)
        tally.count("commands")
        wrong = [pattern for pattern in case.says if not re.search(pattern, said)]
        if code != ExitCode.USAGE:
            wrong.append(f"exit {code}")
        if "Traceback" in said or "bug:" in said:
            wrong.append("a traceback")
        if cpu_s > CPU_S_MAX or memory_mb > MEMORY_MB_MAX:
            wrong.append(f"{cpu_s:.1f} s and {memory_mb} MB")
        if wrong:
            tally.wrong(f"command on {case.name}: {wrong}: {said[:300]}")


def run_command(folder: Path, words: list[str]) -> tuple[int, str, float, int]:
    """`trader WORDS` in a folder: exit code, stderr, seconds of processor, megabytes at most.

    Linux counts what this process holds when it forks, so this process holds nothing large.
    """
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    given, said = folder / "stdin", folder / "stderr"
    given.touch()
    with given.open("rb") as source, said.open("wb") as sink:
        child = subprocess.Popen(
            [sys.executable, "-m", "trader", *words],
            cwd=folder,
            env=env,
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=sink,
        )
        late = threading.Timer(SECONDS_MAX * 6, child.kill)
        late.start()
        _, status, usage = os.wait4(child.pid, 0)
        late.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    text = said.read_text(encoding="utf-8", errors="replace")
    cpu_s = usage.ru_utime + usage.ru_stime
    return child.returncode, text, cpu_s, usage.ru_maxrss // 1024


def run(arguments: argparse.Namespace) -> Verdict:
    """Tables and examples in this process, then the command."""
    # What never ends in this process is shown, and ends it.
    faulthandler.dump_traceback_later(300 if arguments.quick else 3_000, exit=True)
    tally, chance = Tally(), random.Random(arguments.seed)
    prove_rows(tally)
    say(f"rows: {tally.counts['rows']}, the slowest {tally.seconds:.2f} s")
    if tally.seconds > SECONDS_MAX:
        tally.wrong(f"a row took {tally.seconds:.1f} s")
    prove_coherence(tally)
    say(f"rules between keys: {len(coherence_codes())} codes, {tally.counts['examples']} examples")
    prove_together(tally, chance, 40 if arguments.quick else 1_000)
    huge, bombs, rows = list(huge_cases()), list(bomb_cases()), list(map(case_of, all_rows()))
    if arguments.quick:
        cases = [*chance.sample(huge, 2), *chance.sample(bombs, 2), *chance.sample(rows, 3)]
    else:
        cases = [*huge, *bombs, *chance.sample(rows, 100)]
    prove_by_command(tally, cases)
    say(f"command: {tally.cpu_s:.2f} s of processor and {tally.memory_mb} MB at most")
    faulthandler.cancel_dump_traceback_later()
    figures = {
        **tally.counts,
        "codes": len(coherence_codes()),
        "seconds_max": round(tally.seconds, 3),
        "command_cpu_s_max": round(tally.cpu_s, 2),
        "command_memory_mb_max": tally.memory_mb,
        "problems": len(tally.problems),
    }
    return Verdict(not tally.problems, sum(tally.counts.values()), figures)


if __name__ == "__main__":
    sys.exit(prove("policy_errors", run, parser_of("policy_errors", __doc__)))
