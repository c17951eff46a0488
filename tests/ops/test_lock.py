"""The cycle lock: one holder, named by the kernel, gone with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trader.errors import ExitCode, JournalError, LockHeld
from trader.ops.lock import end_holder, hold, holder_pid, is_held

HOLDER = """
import signal, sys, time
from pathlib import Path
from trader.ops.lock import hold
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(path: Path, kind: str = "plain") -> Generator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_second_process_is_refused_at_once_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as process:
        with pytest.raises(LockHeld, match=f"process {process.pid} holds the lock"), hold(path):
            pytest.fail("the lock was taken twice")
        assert holder_pid(path) == process.pid
        assert is_held(path)
    assert LockHeld.code is ExitCode.LOCKED


def test_the_lock_is_free_again_after_its_block(tmp_path: Path) -> None:
    path = tmp_path / "state" / "lock"
    for _ in range(2):
        with hold(path):
            assert is_held(path)
            assert holder_pid(path) == os.getpid()
    assert not is_held(path)
    assert holder_pid(path) is None


def test_the_lock_is_free_after_its_block_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyError), hold(tmp_path / "lock"):
        raise KeyError
    assert not is_held(tmp_path / "lock")


def test_a_killed_holder_leaves_no_stale_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert path.exists()
        assert not is_held(path)
        with hold(path):
            assert holder_pid(path) == os.getpid()


def test_a_pid_written_into_the_lock_file_means_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text(str(os.getpid()))
    assert holder_pid(path) is None
    assert end_holder(path, 0.1, time.sleep) == ()


def test_a_lock_that_was_never_taken_has_no_holder(tmp_path: Path) -> None:
    assert holder_pid(tmp_path / "lock") is None
    assert not is_held(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()


def test_a_lock_on_another_file_is_not_taken_for_this_one(tmp_path: Path) -> None:
    with holder(tmp_path / "other"):
        (tmp_path / "lock").touch()
        assert holder_pid(tmp_path / "lock") is None


def test_a_folder_that_cannot_be_made_ends_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be opened"), hold(tmp_path / "file" / "lock"):
        pytest.fail("there is no such folder")


def test_a_holder_that_yields_is_ended_with_sigterm(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as process:
        assert end_holder(path, 5.0, time.sleep) == (process.pid,)
        assert process.wait() == -signal.SIGTERM
    assert not is_held(path)


def test_a_holder_that_is_deaf_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path, "deaf") as process:
        assert end_holder(path, 0.1, time.sleep) == (process.pid,)
        assert process.wait() == -signal.SIGKILL
    assert not is_held(path)


def test_a_stopped_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path, "deaf") as process:
        process.send_signal(signal.SIGSTOP)
        assert end_holder(path, 0.1, time.sleep) == (process.pid,)
        assert process.wait() == -signal.SIGKILL
    assert not is_held(path)


def test_a_process_does_not_end_itself(tmp_path: Path) -> None:
    with hold(tmp_path / "lock"):
        assert end_holder(tmp_path / "lock", 0.1, time.sleep) == ()


def locks_file(tmp_path: Path, *rows: str) -> Path:
    """A table like /proc/locks."""
    path = tmp_path / "locks"
    path.write_text("".join(f"{n}: {row}\n" for n, row in enumerate(rows, 1)))
    return path


def test_another_device_number_counts_when_the_process_has_the_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.touch()
    inode, me = path.stat().st_ino, os.getpid()
    row = f"FLOCK  ADVISORY  WRITE {me} 00:fe:{inode} 0 EOF"
    monkeypatch.setattr("trader.ops.lock.LOCKS", locks_file(tmp_path, row))
    assert holder_pid(path) is None
    with path.open():
        assert holder_pid(path) == me


def test_rows_of_other_kinds_files_and_waiters_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.touch()
    status = path.stat()
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    rows = (
        f"POSIX  ADVISORY  WRITE 77 {place} 0 EOF",
        f"FLOCK  ADVISORY  WRITE -1 {place} 0 EOF",
        f"-> FLOCK  ADVISORY  WRITE 78 {place} 0 EOF",
        f"FLOCK  ADVISORY  WRITE 79 {place}1 0 EOF",
        "",
    )
    monkeypatch.setattr("trader.ops.lock.LOCKS", locks_file(tmp_path, *rows))
    assert holder_pid(path) is None
    rows = (*rows, f"FLOCK  ADVISORY  WRITE 80 {place} 0 EOF")
    monkeypatch.setattr("trader.ops.lock.LOCKS", locks_file(tmp_path, *rows))
    assert holder_pid(path) == 80


def test_a_process_that_is_gone_already_is_not_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    path.touch()
    process = subprocess.Popen(["true"])
    process.wait()
    status = path.stat()
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    row = f"FLOCK  ADVISORY  WRITE {process.pid} {place} 0 EOF"
    monkeypatch.setattr("trader.ops.lock.LOCKS", locks_file(tmp_path, row))
    assert end_holder(path, 0.05, time.sleep) == ()
