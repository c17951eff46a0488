"""The process that a strategy file runs in: what it may have, and the loop that answers.

Lives here: everything that happens on the other side of the pipes: closing what was inherited,
limits, the guard against files and sockets, loading, evaluating. It ends by `os._exit`, when its
pipe closes, and with its parent. It keeps accidents in; it is no jail against somebody who wants
out. Must not live here: the parent's side, and what an answer means.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trader.app.strategy_wire import HEAD, bars_of, columns_bytes, pack
from trader.core.parameters import StrategyCode
from trader.core.strategy import StrategyError, load_strategy

# Above what the process has when it starts.
MEMORY_BYTES_MAX = 1 << 30
OPEN_FILES_MAX = 256
PRINTED_MAX = 4_000
TEXT_MAX = 300
PR_SET_PDEATHSIG = 1
# Whatever user code does must become an answer: SystemExit and KeyboardInterrupt too.
ANYTHING = (BaseException,)
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)
# What this program or its libraries may have put handlers on.
_DEFAULT = (signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPROF)
_LIBRARIES = tuple(
    {sys.prefix, sys.base_prefix, sys.exec_prefix, "/usr/lib", "/usr/share/zoneinfo"}
)
_SYSTEM = ("/proc/", "/sys/", "/dev/null", "/dev/urandom", "/etc/localtime")
_CODE = (".py", ".pyc", ".so")
_REACHES_OUT = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
    "os.kill", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod",
    "os.link", "os.symlink", "shutil.", "pty.", "signal.pthread_kill", "sqlite3.connect",
)  # fmt: skip


class ReachesOut(RuntimeError):
    """A strategy opened a file, a socket, a process or a thread: it is a function of its bars."""


class Prints(RuntimeError):
    """A strategy wrote to standard output, where a command's data goes."""


class Muted(io.TextIOBase):
    """Stands in for standard output: nothing leaves; that somebody wrote is remembered."""

    def __init__(self) -> None:
        """Nothing written yet."""
        self.text = ""

    def write(self, text: str, /) -> int:
        """Keep the beginning."""
        self.text = (self.text + text)[:PRINTED_MAX]
        return len(text)

    def take(self) -> str:
        """What was written since the last time."""
        text, self.text = self.text, ""
        return text


class Guard:
    """Says no to what a function of bars has no use for, while a strategy's code runs."""

    def __init__(self) -> None:
        """Not armed."""
        self.armed = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook. Raises ReachesOut."""
        if not self.armed:
            return
        if event == "open":
            self._judge(arguments[0], arguments[1])
        elif event.startswith(_REACHES_OUT):
            raise ReachesOut(f"a strategy may not use {event}")

    def refuse_threads(self) -> None:
        """Starting one raises no audit event in every Python that this runs on."""
        import _thread
        import threading

        def start(*_: Any, **__: Any) -> int:
            raise ReachesOut("a strategy may not start a thread")

        for module, name in ((_thread, "start_new_thread"), (threading, "_start_new_thread")):
            setattr(module, name, start)

    def _judge(self, name: Any, mode: Any) -> None:
        if not isinstance(name, (str, bytes)):
            return
        path = os.path.realpath(os.fsdecode(name))
        writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
        if path.startswith(_SYSTEM):
            return
        if not writes and (path.startswith(_LIBRARIES) or path.endswith(_CODE)):
            return
        raise ReachesOut(f"a strategy may not open {Path(path).name}")


def run_child(reads: int, writes: int, start: dict[str, Any]) -> None:
    """Be the strategy's process until the pipe closes; never returns.

    `start`: name, text, parent (process id), and ambient: what a check changes about the world.
    """
    try:
        gc.freeze()  # nothing of the parent is taken apart here: its numbers of files are not ours
        _leave_parent(reads, writes)
        _limit(start["parent"])
        _Server(reads, writes, start).serve()
    except ANYTHING:
        os._exit(70)
    finally:
        os._exit(0)


def _leave_parent(reads: int, writes: int) -> None:
    """Own session and signals, no file but the pipes, an empty environment."""
    os.setsid()
    for number in _DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    kept = sorted((reads, writes))
    os.closerange(3, kept[0])
    os.closerange(kept[0] + 1, kept[1])
    os.closerange(kept[1] + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.environ.clear()
    # Numeric libraries: no thread pools, whose size would depend on the host.
    os.environ.update({"TZ": "UTC", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    time.tzset()
    sys.stdin = io.StringIO()
    sys.stderr = Muted()
    sys.argv = ["strategy"]
    sys.path = [place for place in sys.path if place]
    sys.dont_write_bytecode = True


def _limit(parent: int) -> None:
    """Memory, files and cores; and no life after the parent's."""
    space = resource.getpagesize() * _pages() + MEMORY_BYTES_MAX
    with contextlib.suppress(OSError):
        # Where the kernel is short of memory, it ends us first.
        place = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(place, b"1000")
        os.close(place)
    _lower(resource.RLIMIT_AS, space)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES_MAX)
    if os.getppid() != parent:
        os._exit(0)


def _pages() -> int:
    """Of address space that this process has now."""
    place = os.open("/proc/self/statm", os.O_RDONLY)
    told = os.read(place, 256)
    os.close(place)
    return int(told.split()[0])


def _lower(what: int, to: int) -> None:
    soft, hard = resource.getrlimit(what)
    wanted = to if soft == resource.RLIM_INFINITY else min(to, soft)
    resource.setrlimit(what, (wanted, wanted if hard == resource.RLIM_INFINITY else min(to, hard)))


def _die_with_parent(parent: int) -> None:
    """Ask the kernel; a loop in C is then ended too. Costs an import, so it comes after loading
    (until then, and where this fails, the alarm of each request ends the process)."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != parent:
        os._exit(0)


def main() -> None:
    """A new interpreter: the pipes are arguments, the first message is the start."""
    reads, writes = int(sys.argv[1]), int(sys.argv[2])
    rows, _ = HEAD.unpack(_read(reads, HEAD.size))
    run_child(reads, writes, json.loads(_read(reads, rows)))


class _Server:
    """The loop: a request, an answer."""

    def __init__(self, reads: int, writes: int, start: dict[str, Any]) -> None:
        self.reads = reads
        self.writes = writes
        self.start = start
        self.muted = Muted()
        sys.stdout = self.muted
        self.guard = Guard()
        sys.addaudithook(self.guard)
        self.guard.refuse_threads()
        self.code: StrategyCode | None = None

    def serve(self) -> None:
        """Load, then answer until the pipe closes."""
        if self.start["ambient"]:
            from trader.app.strategy_ambient import change_world

            change_world(self.start["ambient"])
        self._answer(self._load, self.start["limit_s"])
        _die_with_parent(self.start["parent"])
        while True:
            row, body = self._request()
            if row["do"] == "warmup":
                self._answer(lambda row=row: self._warmup(row), row["limit_s"])
            else:
                self._answer(lambda row=row, body=body: self._signals(row, body), row["limit_s"])

    def _load(self) -> tuple[dict[str, Any], bytes]:
        self.code, numbers = load_strategy(self.start["name"], self.start["text"])
        return {"parameters": numbers}, b""

    def _warmup(self, row: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        assert self.code is not None
        return {"warmup": int(self.code.warmup(row["numbers"]))}, b""

    def _signals(self, row: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        assert self.code is not None
        told, data = columns_bytes(self.code.signals(bars_of(body), row["numbers"]))
        return {"columns": told}, data

    def _answer(self, do: Callable[[], tuple[dict[str, Any], bytes]], limit_s: float) -> None:
        # The parent keeps the time; this is for a parent that is gone.
        signal.setitimer(signal.ITIMER_REAL, limit_s + 1.0)
        self.guard.armed = True
        body = b""
        try:
            row, body = do()
            printed = self.muted.take()
            if printed:
                row, body = _failure(Prints("it writes to standard output")), b""
                row["printed"] = printed
        except ANYTHING as error:
            short = isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
            told = _failure(error)
            row = {"lost": "memory"} if short else {**told, "printed": self.muted.take()}
        self.guard.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._send(pack(row, body))

    def _send(self, message: bytes) -> None:
        view = memoryview(message)
        while view:
            view = view[os.write(self.writes, view) :]

    def _request(self) -> tuple[dict[str, Any], bytes]:
        rows, size = HEAD.unpack(_read(self.reads, HEAD.size))
        row = json.loads(_read(self.reads, rows))
        return row, _read(self.reads, size)


def _read(end: int, size: int) -> bytes:
    """So many bytes; where they end, so does this process."""
    parts: list[bytes] = []
    while size > 0:
        part = os.read(end, size)
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _failure(error: BaseException) -> dict[str, Any]:
    """An exception in plain words, with the line of the strategy that it came from."""
    cause = error.__cause__ if isinstance(error, StrategyError) and error.__cause__ else error
    line, step = 0, cause.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename.startswith("<strategy "):
            line = step.tb_lineno
        step = step.tb_next
    return {"error": type(cause).__name__, "text": str(error)[:TEXT_MAX], "line": line}
