"""A strategy file in a process of its own: nothing that it does can hurt the pass.

Lives here: starting that process, asking it with a limit of time, ending it; and the two functions
that the core calls, which ask. An exception of the strategy is raised here under its own name (the
core makes a decision of it, and a replay the same one). Running out of time or memory, or dying, is
a fact about this run: `StrategyLost`. Must not live here: what the process does inside
(`strategy_child`), and what becomes of a lost strategy.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, cast

from trader.app.strategy_wire import (
    BYTES_MAX,
    HEAD,
    bars_bytes,
    columns_of,
    numbers_of,
    pack,
)
from trader.core.parameters import StrategyCode
from trader.core.strategy import CodeLost

LOAD_S = 10.0
EVALUATE_S = 5.0
# A pass has a deadline: after each strategy that ran out of time the next one has half of it.
EVALUATE_S_LEAST = 1.5
LOAD_S_LEAST = 0.5
POOL_MAX = 16
WARMUP_MAX = 1_000_000
# An interrupt, or a deadline that rings in the middle of a question, leaves half an answer behind.
ANYTHING = (BaseException,)
GARBLED = (ValueError, KeyError, TypeError, RecursionError)
# How a process ends whose own alarm rang: it took longer than it may, and nobody was waiting.
ALARM = f"signal={int(signal.SIGALRM)}"
_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 16
_NAME = re.compile(r"[A-Za-z_]\w{0,60}", re.ASCII)

Numbers = Mapping[str, float | int]


class StrategyLost(CodeLost):
    """A strategy's process ran out of time or memory, or died: plan again without it.

    Not an Exception: the core takes those for the strategy's own and decides on them, while this
    must become part of what the decision saw. `trouble`: `STRATEGY_FAILED why=... ...`.
    """

    def __init__(self, name: str, trouble: str) -> None:
        super().__init__(f"strategy {name}: {trouble}")
        self.name = name
        self.trouble = trouble


class StrategyRaised(Exception):
    """What the strategy's code raised, by the name that it had there; `line`: of its file, or 0;
    `printed`: what it had written."""

    line = 0
    printed = ""


class StrategyProcess:
    """One process with one strategy file in it, started when this is made.

    Answers come in order, one question at a time, from the thread that started it; a fork of that
    program gets a process of its own. Once lost it stays lost.
    """

    def __init__(
        self,
        name: str,
        text: str,
        ambient: Mapping[str, Any] | None = None,
        hash_seed: int | None = None,
    ) -> None:
        """`ambient`: what a check changes about the world (see `strategy_ambient`); `hash_seed`:
        start a new interpreter with it."""
        self.name = name
        self.trouble = ""
        self.owner = os.getpid()
        self.thread = threading.get_ident()
        self._first: dict[str, Any] = {
            "name": name,
            "text": text,
            "parent": self.owner,
            "ambient": dict(ambient or {}),
            "limit_s": LOAD_S,
        }
        self._begin = _forked if hash_seed is None else _spawned(hash_seed)
        self._parameters: dict[str, float | int] | None = None
        self._failed: StrategyRaised | None = None
        self._warmups: dict[str, int] = {}
        self._start()

    def _start(self) -> None:
        """Begin the process and load the file in it; nothing is waited for."""
        self._unanswered = True  # whether it has yet to say that it is loaded
        self.pid = 0
        self._started = time.monotonic()
        try:
            self.pid, self._writes, self._reads = self._begin(self._first)
        except OSError as error:  # the host has no process, pipe or memory left
            self.trouble = f"STRATEGY_FAILED why=start error={type(error).__name__}"
            return
        for end in (self._writes, self._reads):
            os.set_blocking(end, False)
            with contextlib.suppress(OSError):  # a smaller pipe only means more turns
                fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def _own(self) -> None:
        """A fork of the process that began this begins its own: two that ask through the same
        pipes read each other's answers."""
        if self.owner == os.getpid():
            return
        if self.pid > 0:
            self._drop()
        self.owner, self.thread = os.getpid(), threading.get_ident()
        self._first = {**self._first, "parent": self.owner}
        if not self.trouble:
            self._start()

    def __del__(self) -> None:
        """Nobody asks any more."""
        self.close()

    @property
    def usable(self) -> bool:
        """Whether this very process and thread can still ask it."""
        mine = (self.owner, self.thread) == (os.getpid(), threading.get_ident())
        return mine and not self.trouble and not self._ended()

    def close(self) -> None:
        """End the process; again is nothing."""
        if getattr(self, "pid", 0) <= 0:
            return
        pid = self._drop()
        if self.owner == os.getpid():  # else a fork's copy of this object: not our child
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    # --- questions ---------------------------------------------------------------------------

    def parameters(self) -> dict[str, float | int]:
        """PARAMETERS of the file. Raises StrategyRaised when it fails while it is loaded,
        StrategyLost."""
        if self._failed is not None:
            raise self._failed
        if self._parameters is None:
            self._own()
            self._parameters = self._load()
        return dict(self._parameters)

    def assume(self, parameters: Numbers, warmups: Mapping[str, int]) -> None:
        """What this very file told an earlier process: nothing is waited for until it is asked
        for a signal."""
        if self._parameters is None and self._failed is None:
            self._parameters = dict(parameters)
            self._warmups = dict(warmups)

    def facts(self) -> tuple[dict[str, float | int], dict[str, int]]:
        """What `assume` takes."""
        return self.parameters(), dict(self._warmups)

    def _load(self) -> dict[str, float | int]:
        self._unanswered = False
        # All files of a pass load at the same time.
        left_s = self._started + LOAD_S - time.monotonic()
        try:
            row, _ = self._receive("load", max(left_s, LOAD_S_LEAST), limit_s=LOAD_S)
            return self._read(row, lambda: numbers_of(row["parameters"]))
        except StrategyRaised as error:
            self._failed = error
            raise

    def warmup(self, numbers: Numbers) -> int:
        """Bars that the file declares for these numbers; 0 from one that was lost before.

        Raises what it raises, ValueError for an absurd number, StrategyLost.
        """
        key = repr(sorted(numbers.items()))
        if key not in self._warmups:
            if self.trouble:
                return 0
            row = {"do": "warmup", "numbers": dict(numbers), "limit_s": EVALUATE_S}
            told, _ = self._ask("warmup", row, b"")
            bars = self._read(told, lambda: int(told["warmup"]))
            if not 0 <= bars <= WARMUP_MAX:
                raise ValueError(f"warmup(p) is {bars}, it must be 0..{WARMUP_MAX}")
            self._warmups[key] = bars
        return self._warmups[key]

    def signals(self, bars: Any, numbers: Numbers) -> dict[str, Any]:
        """Columns for a window (anything with the columns of a window, in buffers).

        Raises what the file raises, StrategyLost.
        """
        row = {"do": "signals", "numbers": dict(numbers), "limit_s": EVALUATE_S}
        told, body = self._ask("signals", row, bars_bytes(bars))
        return self._read(told, lambda: columns_of(told["columns"], body))

    # --- the pipe ----------------------------------------------------------------------------

    def _ask(self, what: str, row: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        if self._failed is not None:
            raise self._failed
        self._own()
        if self._unanswered:
            self._parameters = self._load()
        limit_s = min(EVALUATE_S, max(EVALUATE_S / 2 ** len(_out_of_time), EVALUATE_S_LEAST))
        return self._receive(what, limit_s, pack(row, body), limit_s)

    def _receive(
        self, what: str, wait_s: float, message: bytes = b"", limit_s: float = LOAD_S
    ) -> tuple[dict[str, Any], bytes]:
        """Wait so long; `limit_s` is what a file that takes longer is told."""
        if self.trouble:
            raise StrategyLost(self.name, self.trouble)
        out_of_time = f"why=time in={what} limit_ms={int(limit_s * 1000)}"
        try:
            answer = self._exchange(message, time.monotonic() + wait_s)
        except TimeoutError:
            _out_of_time.add((self.name, self.thread))
            self._lose(out_of_time)
        except EOFError:
            how = self._how_it_ended()
            self._lose(out_of_time if how == ALARM else f"why=died in={what} {how}")
        except GARBLED:
            self._lose(f"why=garbled in={what}")
        except ANYTHING:
            self.close()
            self.trouble = "STRATEGY_FAILED why=interrupted"
            raise
        if "lost" in answer[0]:
            self._lose(f"why=memory in={what}")
        return answer

    def _exchange(self, message: bytes, until: float) -> tuple[dict[str, Any], bytes]:
        """Write the question, read the answer, both as far as the pipes allow."""
        poll = select.poll()
        poll.register(self._reads, select.POLLIN)
        left = memoryview(message)
        if left:
            poll.register(self._writes, select.POLLOUT)
        found = bytearray()
        wanted = HEAD.size
        while len(found) < wanted:
            wait_ms = (until - time.monotonic()) * 1000
            if wait_ms <= 0:
                raise TimeoutError
            ready = {end for end, _ in poll.poll(wait_ms)}
            if self._writes in ready:
                left = self._write(left)
            if not left and self._writes in ready:
                poll.unregister(self._writes)
            if self._reads in ready:
                found += _some(self._reads)
            if len(found) >= HEAD.size:
                wanted = HEAD.size + sum(HEAD.unpack_from(found))
            if wanted > BYTES_MAX:
                raise ValueError("an answer beyond all bounds")
        rows, _ = HEAD.unpack_from(found)
        row = json.loads(found[HEAD.size : HEAD.size + rows])
        if not isinstance(row, dict) or len(found) > wanted:
            raise ValueError("not an answer")
        return cast("dict[str, Any]", row), bytes(found[HEAD.size + rows :])

    def _write(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self._writes, left) :]
        except BlockingIOError:
            return left
        except BrokenPipeError:
            raise EOFError from None

    def _read(self, row: dict[str, Any], value: Callable[[], Any]) -> Any:
        """The value of an answer; raises what it says went wrong there."""
        if "error" in row:
            raise raised(row)
        try:
            return value()
        except GARBLED:
            self._lose("why=garbled")

    def _lose(self, why: str) -> NoReturn:
        self.close()
        self.trouble = f"STRATEGY_FAILED {why}"
        raise StrategyLost(self.name, self.trouble)

    def _drop(self) -> int:
        """Close this side of the pipes; returns the process that was behind them."""
        pid, self.pid = self.pid, 0
        os.close(self._writes)
        os.close(self._reads)
        return pid

    def _ended(self) -> bool:
        if self.pid <= 0:
            return True
        try:
            ended, _ = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return True
        if ended:
            self._drop()
        return bool(ended)

    def _how_it_ended(self) -> str:
        """`signal=11` or `code=3`."""
        pid = self._drop()
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)  # in case it only closed its pipe
        try:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:
            return "code=unknown"
        return f"signal={-code}" if code < 0 else f"code={code}"


# Strategies of this program that ran out of time.
_out_of_time: set[tuple[str, int]] = set()


def _some(end: int) -> bytes:
    try:
        part = os.read(end, _READ_BYTES)
    except BlockingIOError:
        return b""
    if not part:
        raise EOFError
    return part


def raised(row: Mapping[str, Any]) -> StrategyRaised:
    """The exception of an answer, of a class with the name that it had there."""
    name, line = str(row["error"]), row.get("line", 0)
    kind = type(name if _NAME.fullmatch(name) else "Exception", (StrategyRaised,), {})
    error = kind(str(row.get("text", "")))
    error.line = line if type(line) is int else 0
    error.printed = str(row.get("printed", ""))
    return error


def _forked(start: dict[str, Any]) -> tuple[int, int, int]:
    """(process, end to write questions to, end to read answers from)."""
    from trader.app.strategy_child import run_child

    asks, writes = os.pipe()
    reads, answers = os.pipe()
    with warnings.catch_warnings():
        # The child runs no code of another thread, and takes no lock that one may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        run_child(asks, answers, start)
    os.close(asks)
    os.close(answers)
    return pid, writes, reads


def _spawned(hash_seed: int) -> Callable[[dict[str, Any]], tuple[int, int, int]]:
    """As `_forked`, in a new interpreter: only there can strings hash otherwise."""

    def begin(start: dict[str, Any]) -> tuple[int, int, int]:
        asks, writes = os.pipe()
        reads, answers = os.pipe()
        os.set_inheritable(asks, True)
        os.set_inheritable(answers, True)
        program = "from trader.app.strategy_child import main; main()"
        words = [sys.executable, "-P", "-c", program, str(asks), str(answers)]
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        env = {**kept, "PYTHONHASHSEED": str(hash_seed)}
        pid = os.posix_spawn(sys.executable, words, env)
        os.close(asks)
        os.close(answers)
        with contextlib.suppress(BrokenPipeError):  # it is gone: the first question finds out
            _write_all(writes, pack(start))
        return pid, writes, reads

    return begin


# What the interpreter needs to find this very program again.
_KEPT = ("PYTHONPATH", "PYTHONHOME", "TRADER_INTERPRETED", "LD_LIBRARY_PATH")


def _write_all(end: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(end, left) :]


# One process for each strategy of this program, kept for as long as its file stays the same: a
# back-test asks it thousands of times, and cycles in one process share it.
_pool: dict[tuple[str, str], StrategyProcess] = {}


def strategy_process(name: str, text: str) -> StrategyProcess:
    """The process of a strategy's file, started now or before."""
    key = (name, text)
    found = _pool.pop(key, None)
    if found is None or not found.usable:
        found = StrategyProcess(name, text)
    _pool[key] = found
    while len(_pool) > POOL_MAX:
        del _pool[next(iter(_pool))]  # whoever still asks it keeps it alive
    return found


def isolated_code(process: StrategyProcess, program: Mapping[str, Any]) -> StrategyCode:
    """The functions that the core calls; `program` is the plain form of the strategy's rules."""
    return StrategyCode(process.warmup, process.signals, program)
