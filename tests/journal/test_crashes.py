"""Crashes: SIGKILL at any instant, a full disk, two writers."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from trader.errors import JournalError
from trader.journal import Journal
from trader.journal.files import wal_path
from trader.journal.rebuild import rebuild
from trader.journal.verify import has_errors, verify
from trader.journal.writer import SEAL_EVERY

from .test_transactions import on_disk, plain

SCRIPTS = Path(__file__).parents[2] / "scripts" / "prove"
WORK = """
import sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from made_journal import Maker
from trader.journal import Journal
seed = int(sys.argv[2])
while True:
    with Journal.open(Path(sys.argv[1])) as journal:
        print(journal.head.seq, flush=True)
        Maker(journal, seed).run(1 + seed % 3)
"""


def test_a_kill_at_any_instant_leaves_a_whole_journal(path: Path) -> None:
    random, seen = Random(8), 0
    Journal.open(path, create=True).close()
    root = str(SCRIPTS.parents[1])
    for seed in range(8):
        command = [sys.executable, "-c", WORK, str(path), str(seed), str(SCRIPTS), root]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
            assert worker.stdout is not None
            assert worker.stdout.readline(), "the worker did not begin"
            time.sleep(random.random() * 0.05)
            worker.send_signal(signal.SIGKILL)
            worker.stdout.read()
        assert not has_errors(verify(path)), [str(finding) for finding in verify(path)]
        with Journal.open(path) as journal:
            assert journal.head.seq >= seen
            assert plain(journal.state) == on_disk(path)
            seen = journal.head.seq
        assert rebuild(path) == []
    assert seen > 8


def test_a_full_disk_is_one_sentence_and_leaves_the_books_as_they_were(path: Path) -> None:
    Journal.open(path, create=True).close()
    with Journal.open(path) as journal:
        journal.append("note", {"n": 1}, 1)
        before, head = plain(journal.state), journal.head
        size = wal_path(path).stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 6000, hard))
        try:
            with pytest.raises(JournalError, match=r"disk") as caught:
                journal.append("note", {"text": "x" * 100_000}, 2)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, old)
        assert caught.value.hint
        assert plain(journal.state) == before == on_disk(path)
        assert journal.head == head
        assert journal.append("note", {"n": 2}, 2) == 2
    assert verify(path) == []


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_tmpfs_is_one_sentence(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount")
    try:
        fill_up(place / "journal.db")
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill_up(path: Path) -> None:
    written: list[int] = []

    def write_on() -> None:
        with Journal.open(path, create=True) as journal:
            while True:
                written.append(journal.append("note", {"text": "x" * 5000}, 1))

    with pytest.raises(JournalError, match=r"disk is full|cannot be read or written"):
        write_on()
    assert len(written) > 10
    assert not has_errors(verify(path))


def test_the_wal_of_a_long_lived_process_stays_short(path: Path) -> None:
    with Journal.open(path, create=True) as journal:
        for number in range(3 * SEAL_EVERY):
            journal.append("note", {"n": number, "text": "x" * 60_000}, number)
            assert wal_path(path).stat().st_size < 20_000_000
        assert path.stat().st_size > 5_000_000
    assert verify(path) == []
    assert not wal_path(path).exists()


def test_closing_fails_in_one_sentence_and_keeps_what_is_committed(path: Path) -> None:
    journal = Journal.open(path, create=True)
    journal.append("note", {"n": 1}, 1)
    blocked = path.with_name("journal.sums.new")
    blocked.mkdir()
    with pytest.raises(JournalError, match="closing"):
        journal.close()
    blocked.rmdir()
    assert not has_errors(verify(path))
    with Journal.open(path) as again:
        assert again.head.seq == 1


def test_two_writers_take_turns(path: Path) -> None:
    with Journal.open(path, create=True) as one, Journal.open(path) as two:
        for number in range(20):
            writer = (one, two)[number % 2]
            assert writer.append("note", {"n": number}, number) == number + 1
    assert verify(path) == []
