"""Workers: forked processes that share the parent's memory and answer trial by trial.

Lives here: starting them, handing out batches of trials, telling which trial a worker died in, and
ending them whatever happens. Nothing is pickled: a fork inherits bars and columns, and an answer is
bytes. Must not live here: what a trial is, files.

A worker that dies is replaced; the trial that it was in is tried once more, alone, and given up
with the reason when that one dies too.
"""

from __future__ import annotations

import ctypes
import gc
import os
import selectors
import signal
import socket
import struct
import sys
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress

from trader.records import dataclass, field

Work = Callable[[Sequence[int]], Iterator[bytes]]
_HEAD = struct.Struct("<BI")
_ROW, _BUG = 0, 1
_ATTEMPTS = 2
_PR_SET_PDEATHSIG = 1
# Of mallopt: memory beyond this goes back to the system, blocks beyond this are the system's own.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _NEVER_BYTES = -1, -3, 1 << 30
_READ_BYTES = 1 << 16
# A worker that was let go ends within this time by itself, or is ended.
LEAVE_S, LOOK_S = 5.0, 0.002
# A fork must never go on with its parent's program, whatever is raised in it.
ANYTHING = (BaseException,)


@dataclass(frozen=True, slots=True)
class Lost:
    """A trial given up: its worker died twice; `how` it ended the second time."""

    how: str


class WorkerBug(RuntimeError):
    """A trial raised what no trial may raise; the text is the worker's traceback."""


@dataclass(slots=True)
class _Worker:
    pid: int
    pipe: socket.socket
    batch: deque[int] = field(default_factory=deque[int])
    unread: bytearray = field(default_factory=bytearray)


def usable_cores() -> int:
    """The processors that this process may run on."""
    return len(os.sched_getaffinity(0))


class Workers:
    """Some workers and the batches that are left for them."""

    def __init__(
        self,
        work: Work,
        batches: Sequence[Sequence[int]],
        count: int,
        died: list[str] | None = None,
        apart: Sequence[int] = (),
    ) -> None:
        """`work(batch)` yields the answer of each trial of a batch, in order.

        `died`: how workers died is put there. `apart`: open files that are not for workers, such as
        a lock, which must not outlive the parent in them.
        """
        self._work = work
        self._left: deque[Sequence[int]] = deque(batches)
        self._count = max(1, min(count, len(self._left)))
        self._apart = tuple(apart)
        self._attempts: dict[int, int] = {}
        self._leaving: list[int] = []
        self._workers: dict[int, _Worker] = {}
        self._ready = selectors.DefaultSelector()
        self.died: list[str] = [] if died is None else died

    def answers(self) -> Generator[tuple[int, bytes | Lost]]:
        """(trial, its answer) as they come, until every trial has one.

        Raises WorkerBug. Whatever ends this generator ends the workers.
        """
        try:
            for _ in range(self._count):
                self._start()
            while self._workers:
                for key, _ in self._ready.select():
                    yield from self._read(self._workers[key.fd])
        finally:
            self._end()

    def _start(self) -> None:
        here, there = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        with warnings.catch_warnings():
            # The child runs no code of another thread, and takes no lock that one may hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            here.close()
            for number in self._apart:
                os.close(number)
            for other in self._workers.values():
                other.pipe.close()  # else their ends are never seen to close
            _serve(self._work, there, parent)
        there.close()
        worker = _Worker(pid, here)
        self._workers[here.fileno()] = worker
        self._ready.register(here, selectors.EVENT_READ)
        self._hand_out(worker)

    def _hand_out(self, worker: _Worker) -> None:
        """The next batch; without one the worker is let go."""
        if not self._left:
            self._forget(worker)
            worker.pipe.close()  # it sees that and ends by itself
            self._leaving.append(worker.pid)
            return
        batch = self._left.popleft()
        worker.batch.extend(batch)
        with suppress(BrokenPipeError, ConnectionResetError):  # it died: reading finds out
            worker.pipe.sendall(
                _HEAD.pack(_ROW, len(batch)) + struct.pack(f"<{len(batch)}q", *batch)
            )

    def _read(self, worker: _Worker) -> Generator[tuple[int, bytes | Lost]]:
        try:
            part = worker.pipe.recv(_READ_BYTES)
        except ConnectionResetError:
            part = b""
        if not part:
            yield from self._lost(worker)
            return
        worker.unread += part
        while (found := _message(worker.unread)) is not None:
            kind, body = found
            if kind == _BUG:
                raise WorkerBug(body.decode())
            yield worker.batch.popleft(), body
        if not worker.batch and not worker.unread:
            self._hand_out(worker)

    def _lost(self, worker: _Worker) -> Generator[tuple[int, bytes | Lost]]:
        """A worker is gone: its trial is tried again, alone, or given up; the rest go back."""
        self._forget(worker)
        worker.pipe.close()
        how = _how_it_ended(os.waitpid(worker.pid, 0)[1])
        self.died.append(how)
        trial, *rest = worker.batch
        if rest:
            self._left.appendleft(rest)
        self._attempts[trial] = self._attempts.get(trial, 1) + 1
        if self._attempts[trial] > _ATTEMPTS:
            yield trial, Lost(how)
        else:
            self._left.appendleft([trial])
        if self._left:
            self._start()

    def _forget(self, worker: _Worker) -> None:
        self._ready.unregister(worker.pipe)
        del self._workers[worker.pipe.fileno()]

    def _end(self) -> None:
        for worker in list(self._workers.values()):
            self._forget(worker)
            worker.pipe.close()
            _kill(worker.pid)
        self._ready.close()
        until = time.monotonic() + LEAVE_S
        while self._leaving and time.monotonic() < until:
            self._leaving = [pid for pid in self._leaving if not _is_gone(pid)]
            if self._leaving:
                time.sleep(LOOK_S)
        for pid in self._leaving:
            _kill(pid)


def _kill(pid: int) -> None:
    """At once, and waited for: it has nothing to put in order."""
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _is_gone(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _message(unread: bytearray) -> tuple[int, bytes] | None:
    """The first whole message, taken off what was read."""
    if len(unread) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack_from(unread)
    end = _HEAD.size + length
    if len(unread) < end:
        return None
    body = bytes(unread[_HEAD.size : end])
    del unread[:end]
    return kind, body


def _how_it_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"its worker ended with code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    short = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"its worker was ended by {name}{short}"


# --- the worker's side ---------------------------------------------------------------------------


def _serve(work: Work, pipe: socket.socket, parent: int) -> None:
    """Be a worker until the pipe closes; never returns."""
    try:
        gc.freeze()  # what is the parent's is not looked through, so that its pages stay shared
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        library = ctypes.CDLL(None)
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _keep_memory(library)
        while os.getppid() == parent and (batch := _batch(pipe)):
            for answer in work(batch):
                pipe.sendall(_HEAD.pack(_ROW, len(answer)) + answer)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)
    except ANYTHING:
        text = traceback.format_exc().encode()
        with suppress(OSError):
            pipe.sendall(_HEAD.pack(_BUG, len(text)) + text)
        os._exit(70)
    finally:
        os._exit(0)


def _keep_memory(library: ctypes.CDLL) -> None:
    """What a trial lets go of is the next one's, and not given back to the system: a trial's
    columns are large blocks, and getting their pages anew took a sixth of a worker's time."""
    if hasattr(library, "mallopt"):  # the C library may be another one
        library.mallopt(_M_TRIM_THRESHOLD, _NEVER_BYTES)
        library.mallopt(_M_MMAP_THRESHOLD, _NEVER_BYTES)


def _batch(pipe: socket.socket) -> list[int]:
    head = _exactly(pipe, _HEAD.size)
    if not head:
        return []
    count = _HEAD.unpack(head)[1]
    return list(struct.unpack(f"<{count}q", _exactly(pipe, 8 * count)))


def _exactly(pipe: socket.socket, size: int) -> bytes:
    """So many bytes; none when the pipe closes before."""
    found = b""
    while len(found) < size:
        part = pipe.recv(size - len(found))
        if not part:
            return b""
        found += part
    return found
