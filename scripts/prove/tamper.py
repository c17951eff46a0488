#!/usr/bin/env python3
"""Proof: `audit verify` finds what was done to a journal behind its back, and names the entry.

A made journal is copied, spoilt in one of eight ways, and verified; untouched copies must verify
clean. Whoever replaces, removes or swaps entries here is no fool: triggers are put back as they
were, page sums are thrown away, and where only the tail is gone the projections are made to fit.
Found by the function, and for a sample by the installed command as well.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from harness import Verdict, parser_of, prove, say
from made_journal import made_journal

from trader.errors import ExitCode
from trader.journal.codec import entry_hash
from trader.journal.head import Head, head_path, read_lines, rewrite
from trader.journal.rebuild import repair
from trader.journal.sums import sums_path
from trader.journal.verify import Finding, has_errors, verify

CYCLES = 60
SAMPLE = 3  # cases of each kind that go through the installed command too


@dataclass(frozen=True)
class Scene:
    """Two made journals: one closed in peace, one with its WAL still live."""

    closed: Path
    live: Path
    last: int


@dataclass(frozen=True)
class Spoilt:
    """A spoilt copy: the entry that must be named (None: any finding), a head noted elsewhere."""

    path: Path
    seq: int | None = None
    head: Head | None = None


Spoiler = Callable[[Scene, Path, Random], Spoilt]


def make_scene(folder: Path, seed: int) -> Scene:
    """Build both journals in a folder."""
    closed, live = folder / "closed" / "journal.db", folder / "live" / "journal.db"
    closed.parent.mkdir()
    with made_journal(closed, CYCLES, seed) as maker:
        shutil.copytree(closed.parent, live.parent, ignore=shutil.ignore_patterns("*-shm"))
        last = maker.journal.head.seq
    return Scene(closed, live, last)


def copied(path: Path, folder: Path) -> Path:
    """A fresh copy of a journal and its files."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(path.parent, folder)
    return folder / path.name


def flip_bit(path: Path, random: Random) -> None:
    """One random bit of a file."""
    data = bytearray(path.read_bytes())
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


@contextmanager
def behind_its_back(path: Path) -> Iterator[sqlite3.Connection]:
    """The database without its triggers, which are as they were afterwards; no page sums."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, statement in triggers:
            connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        connection.close()
    sums_path(path).unlink(missing_ok=True)


def spoil_database(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """A flipped bit anywhere in the database file."""
    path = copied(scene.closed, folder)
    flip_bit(path, random)
    return Spoilt(path)


def spoil_wal(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """A flipped bit anywhere in the write-ahead log."""
    path = copied(scene.live, folder)
    flip_bit(path.with_name(path.name + "-wal"), random)
    return Spoilt(path)


def spoil_head(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """A flipped bit anywhere in the head file."""
    path = copied(random.choice((scene.closed, scene.live)), folder)
    flip_bit(head_path(path), random)
    return Spoilt(path)


def delete_entry(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """An entry that is gone."""
    path, seq = copied(scene.closed, folder), random.randrange(1, scene.last)
    with behind_its_back(path) as connection:
        connection.execute("DELETE FROM entries WHERE seq = ?", (seq,))
    return Spoilt(path, seq)


def swap_pair(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """Two neighbours in each other's place."""
    path, seq = copied(scene.closed, folder), random.randrange(1, scene.last)
    with behind_its_back(path) as connection:
        for old, new in ((seq, -1), (seq + 1, seq), (-1, seq + 1)):
            connection.execute("UPDATE entries SET seq = ? WHERE seq = ?", (new, old))
    return Spoilt(path, seq)


def replace_entry(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """Another content in an entry; every second time with a hash that fits it."""
    path, seq = copied(scene.closed, folder), random.randrange(1, scene.last + 1)
    with behind_its_back(path) as connection:
        query = "SELECT at_ms, kind, version, payload, prev_hash, hash FROM entries WHERE seq = ?"
        at_ms, kind, version, payload, prev_hash, hash_ = connection.execute(
            query, (seq,)
        ).fetchone()
        at_ms += random.randrange(1, 1000)
        if random.random() < 0.5:
            hash_ = entry_hash(seq, at_ms, kind, version, payload, prev_hash)
        change = "UPDATE entries SET at_ms = ?, hash = ? WHERE seq = ?"
        connection.execute(change, (at_ms, hash_, seq))
    return Spoilt(path, seq)


def cut_tail(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """The newest entries gone, everything else made to fit; the head file still knows."""
    path, seq = copied(scene.closed, folder), random.randrange(2, scene.last + 1)
    with behind_its_back(path) as connection:
        connection.execute("DELETE FROM entries WHERE seq >= ?", (seq,))
    repair(path)
    return Spoilt(path, seq)


def cut_tail_and_head(scene: Scene, folder: Path, random: Random) -> Spoilt:
    """The same with a head file made to match; a head noted elsewhere still knows."""
    noted = read_lines(head_path(scene.closed))
    known = max((line for line in noted if line is not None), key=lambda line: line.seq)
    spoilt = cut_tail(scene, folder, random)
    with sqlite3.connect(spoilt.path) as connection:
        query = "SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1"
        rewrite(head_path(spoilt.path), Head(*connection.execute(query).fetchone()))
    connection.close()
    without = [finding for finding in verify(spoilt.path) if finding.level == "error"]
    if without:
        raise AssertionError(f"this cut was to be invisible without --head: {without[0]}")
    return Spoilt(spoilt.path, spoilt.seq, known)


SPOILERS: tuple[Spoiler, ...] = (
    spoil_database,
    spoil_wal,
    spoil_head,
    delete_entry,
    swap_pair,
    replace_entry,
    cut_tail,
    cut_tail_and_head,
)


def found(spoilt: Spoilt, findings: list[Finding]) -> bool:
    """Whether an error was found and the entry concerned is named."""
    errors = [finding for finding in findings if finding.level == "error"]
    if spoilt.seq is None:
        return bool(errors)
    return any(finding.seq == spoilt.seq for finding in errors)


class Command:
    """The installed `trader audit verify`."""

    def __init__(self) -> None:
        """Look for it beside this Python."""
        self.program = Path(sys.executable).with_name("trader")
        self.runs = 0
        self.there = self.program.exists() and self._run("--help").returncode == 0

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.program), "audit", "verify", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def agrees(self, path: Path, head: Head | None, *, clean: bool) -> bool:
        """Whether its exit code says what it must, in one sentence of JSON."""
        noted = ["--head", f"{head.seq}:{head.hash}"] if head else []
        done = self._run("--journal", str(path), *noted, "--json")
        self.runs += 1
        wanted = ExitCode.OK if clean else ExitCode.PROOF_FAILED
        if done.returncode != wanted:
            say(f"command: exit {done.returncode}, not {int(wanted)}: {done.stderr.strip()}")
            return False
        json.loads(done.stdout)
        return True


def run(arguments: argparse.Namespace) -> Verdict:
    """Every kind of damage, so many random cases of each."""
    cases = 5 if arguments.quick else arguments.cases
    random = Random(arguments.seed)
    command = Command()
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tamper-") as name:
        folder = Path(name)
        scene = make_scene(folder, arguments.seed)
        missed += untouched(scene, folder / "case", command)
        for spoil in SPOILERS:
            lost = missed_of(spoil, scene, folder / "case", random, cases, command)
            say(f"{spoil.__name__}: {cases} cases, {len(lost)} missed")
            missed += lost
    for text in missed:
        say(text)
    counts = {spoil.__name__: cases for spoil in SPOILERS}
    figures = {"kinds": counts, "missed": len(missed), "command_runs": command.runs}
    return Verdict(not missed, sum(counts.values()), figures)


def untouched(scene: Scene, folder: Path, command: Command) -> list[str]:
    """Copies that nobody spoilt and that are not clean all the same."""
    wrong: list[str] = []
    for journal in (scene.closed, scene.live):
        clean = copied(journal, folder)
        agreed = not command.there or command.agrees(clean, None, clean=True)
        if has_errors(verify(clean)) or not agreed:
            wrong.append(f"an untouched copy of {journal.parent.name} is not clean")
    return wrong


def missed_of(
    spoil: Spoiler, scene: Scene, folder: Path, random: Random, cases: int, command: Command
) -> list[str]:
    """Cases of one kind of damage that were not found, or not by the command."""
    missed: list[str] = []
    for case in range(cases):
        spoilt = spoil(scene, folder, random)
        findings = verify(spoilt.path, spoilt.head)
        asked = command.there and case < SAMPLE
        agreed = not asked or command.agrees(spoilt.path, spoilt.head, clean=False)
        if not found(spoilt, findings) or not agreed:
            missed.append(f"{spoil.__name__} {case}: entry {spoilt.seq}: {findings[:2]}")
    return missed


def main() -> int:
    """The proof as a command."""
    parser = parser_of("tamper", __doc__)
    parser.add_argument("--cases", type=int, default=50, help="of each kind of damage")
    return prove("tamper", run, parser)


if __name__ == "__main__":
    sys.exit(main())
