"""The cycle lock: one trading process per state folder, and who it is.

Lives here: taking the lock, naming its holder by asking the kernel about the lock itself (a stored
pid may lie), and ending the holder. The kernel drops the lock when its holder dies, however it
dies; the file stays and means nothing. Must not live here: why somebody is ended.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from trader.errors import JournalError, LockHeld

LOCKS = Path("/proc/locks")
PROCESSES = Path("/proc")
_POLL_S = 0.02
# How long a killed process may need to vanish (it may be in a disk write).
_VANISH_S = 2.0


@contextmanager
def hold(path: Path) -> Generator[None]:
    """Hold the lock while the block runs. Raises LockHeld at once when another process has it,
    JournalError when the file cannot be opened."""
    fd = _open(path)
    try:
        if not _take(fd):
            pid = holder_pid(path)
            who = f"process {pid}" if pid is not None else "a process that cannot be named"
            raise LockHeld(
                f"{who} holds the lock {path}", "another cycle is running; nothing to do"
            )
        yield
    finally:
        os.close(fd)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now. Raises JournalError as `hold` does."""
    if not path.exists():
        return False
    fd = _open(path)
    try:
        return not _take(fd)
    finally:
        os.close(fd)


def holder_pid(path: Path) -> int | None:
    """The process that took the lock, or None: nobody, or it cannot be told from here.

    An entry of /proc/locks counts when its device and inode are the file's; where the file system
    shows another device number there, when the process itself has this very file open.
    """
    try:
        wanted = path.stat()
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return None
    device = f"{os.major(wanted.st_dev):02x}:{os.minor(wanted.st_dev):02x}:{wanted.st_ino}"
    for line in lines:
        # "2: FLOCK  ADVISORY  WRITE 4711 fe:00:2156819 0 EOF"; "->" marks one that only waits.
        fields = line.split()
        if len(fields) != 8 or fields[1] != "FLOCK":
            continue
        pid, place = int(fields[4]), fields[5]
        if pid <= 0 or place.rpartition(":")[2] != str(wanted.st_ino):
            continue
        if place == device or _has_open(pid, wanted):
            return pid
    return None


def end_holder(path: Path, yield_s: float, sleep: Callable[[float], None]) -> tuple[int, ...]:
    """End whoever holds the lock: SIGTERM, `yield_s` seconds to yield, then SIGKILL.

    Returns the pids that were signalled. Whether the lock is free afterwards is for `is_held` to
    say: a holder in another pid namespace, or of another user, cannot be ended from here.
    """
    ended: list[int] = []
    for _ in range(3):  # a new cycle may have taken the lock meanwhile
        pid = holder_pid(path)
        if pid is None or pid in {os.getpid(), *ended}:
            break
        if not _end(path, pid, yield_s, sleep):
            break
        ended.append(pid)
    return tuple(ended)


def _end(path: Path, pid: int, yield_s: float, sleep: Callable[[float], None]) -> bool:
    """Signal one process, through a handle that cannot come to mean another process."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if holder_pid(path) != pid:
            return True
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not _waited(path, pid, yield_s, sleep):
            # A stopped process takes SIGTERM only when it runs again; SIGKILL it takes at once.
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            _waited(path, pid, _VANISH_S, sleep)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    finally:
        os.close(handle)
    return True


def _waited(path: Path, pid: int, wait_s: float, sleep: Callable[[float], None]) -> bool:
    """Whether the process let the lock go within `wait_s` seconds of sleeping."""
    for _ in range(max(1, round(wait_s / _POLL_S))):
        if holder_pid(path) != pid:
            return True
        sleep(_POLL_S)
    return holder_pid(path) != pid


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise JournalError(
            f"the lock {path} cannot be opened: {error.strerror}",
            "make the state folder exist and writable for this user",
        ) from error


def _take(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_open(pid: int, wanted: os.stat_result) -> bool:
    try:
        opened = list((PROCESSES / str(pid) / "fd").iterdir())
    except OSError:
        return False
    return any(_is_file(name, wanted) for name in opened)


def _is_file(name: Path, wanted: os.stat_result) -> bool:
    try:
        found = name.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)


class CycleLock:
    """The lock of one state folder, as an object for those that also end its holder."""

    def __init__(self, path: Path, yield_s: float, sleep: Callable[[float], None]) -> None:
        """`yield_s`: seconds that a holder gets between SIGTERM and SIGKILL."""
        self.path = path
        self.yield_s = yield_s
        self.sleep = sleep

    def hold(self) -> AbstractContextManager[None]:
        """See `hold`."""
        return hold(self.path)

    def holder(self) -> int | None:
        """See `holder_pid`."""
        return holder_pid(self.path)

    def is_held(self) -> bool:
        """See `is_held`."""
        return is_held(self.path)

    def end_holder(self) -> tuple[int, ...]:
        """See `end_holder`."""
        return end_holder(self.path, self.yield_s, self.sleep)
