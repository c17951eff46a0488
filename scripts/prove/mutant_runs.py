"""Running tests against mutants: one collection, a map of what each test runs, a fork per mutant.

Lives here: a pytest plugin that takes over the run. Tests are run once as they are, with a note of
the lines that each of them runs; then each mutant is put in force in a forked process, where the
tests that run its line are asked, the quickest first, until one fails. Must not live here: which
files are mutated, and what the score must be.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import coverage
import pytest
from mutation import Mutant, code_of, live_functions, put_in_force

CHILD_S = 30


@dataclass
class Work:
    """What is to be done: modules by name, the text of each, and the mutants."""

    modules: Mapping[str, ModuleType]
    texts: Mapping[str, str]
    mutants: Sequence[Mutant]
    workers: int = 2


@dataclass
class Told:
    """What came of it: `failed` tests of the code as it is (must be none), and of each mutant how
    many tests ran its line and whether one of them failed."""

    failed: list[str] = field(default_factory=list[str])
    tests: int = 0
    asked: dict[Mutant, int] = field(default_factory=dict[Mutant, int])
    killed: dict[Mutant, bool] = field(default_factory=dict[Mutant, bool])


class Runner:
    """The plugin; lives for one pytest session."""

    def __init__(self, work: Work) -> None:
        """Nothing run yet."""
        self.work = work
        self.told = Told()
        self._failing = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test failed, in whichever phase."""
        if report.failed:
            self._failing = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        covering, seconds = self._run_as_it_is(session.items)
        self.told.tests = len(session.items)
        if not self.told.failed:
            self._run_mutants(session.items, covering, seconds)
        return True

    def _run(self, item: pytest.Item) -> bool:
        """Whether it passed."""
        self._failing = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return not self._failing

    def _run_as_it_is(
        self, items: Sequence[pytest.Item]
    ) -> tuple[dict[tuple[str, int], set[int]], list[float]]:
        """By (module, line): the numbers of the tests that run it; and how long each test takes."""
        paths = {str(module.__file__): name for name, module in self.work.modules.items()}
        watch = coverage.Coverage(data_file=None, config_file=False, include=list(paths))
        seconds: list[float] = []
        watch.start()
        for number, item in enumerate(items):
            watch.switch_context(str(number))
            began = time.perf_counter()
            if not self._run(item):
                self.told.failed.append(item.nodeid)
            seconds.append(time.perf_counter() - began)
        watch.stop()
        covering: dict[tuple[str, int], set[int]] = {}
        data = watch.get_data()
        for path in data.measured_files():
            for line, contexts in data.contexts_by_lineno(path).items():
                covering[paths[path], line] = {int(name) for name in contexts if name}
        return covering, seconds

    def _run_mutants(
        self,
        items: Sequence[pytest.Item],
        covering: Mapping[tuple[str, int], set[int]],
        seconds: Sequence[float],
    ) -> None:
        live = {name: live_functions(module) for name, module in self.work.modules.items()}

        def killed(mutant: Mutant) -> tuple[int, bool]:
            numbers = covering.get((mutant.module, mutant.line), set())
            chosen = [items[number] for number in sorted(numbers, key=lambda n: seconds[n])]
            codes = code_of(mutant, self.work.texts[mutant.module], mutant.module)
            return len(chosen), self._forked(chosen, codes, live[mutant.module])

        slices = [self.work.mutants[n :: self.work.workers] for n in range(self.work.workers)]
        for line in _in_workers(slices, killed):
            number, asked, died = (int(word) for word in line.split())
            mutant = self.work.mutants[number]
            self.told.asked[mutant] = asked
            self.told.killed[mutant] = died == 1

    def _forked(self, chosen: Iterable[pytest.Item], codes: Any, live: Any) -> bool:
        """Whether a test fails (or never ends) when the mutant is in force."""
        child = os.fork()
        if child == 0:
            signal.alarm(CHILD_S)
            put_in_force(codes, live)
            # Whatever goes wrong from here on is the mutant's doing.
            code = 1
            try:
                code = 0 if all(self._run(item) for item in chosen) else 1
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        return status != 0


def _in_workers(slices: Sequence[Sequence[Mutant]], killed: Any) -> Iterable[str]:
    """Each slice in a process of its own; lines of `number asked died`."""
    readers: list[tuple[int, int]] = []
    for offset, part in enumerate(slices):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _work(part, offset, len(slices), writer, killed)
            os._exit(0)
        os.close(writer)
        readers.append((child, reader))
    for child, reader in readers:
        with os.fdopen(reader, encoding="ascii") as told:
            yield from told
        os.waitpid(child, 0)


def _work(part: Sequence[Mutant], offset: int, step: int, writer: int, killed: Any) -> None:
    """One slice, told line by line."""
    with os.fdopen(writer, "w", encoding="ascii") as out:
        for index, mutant in enumerate(part):
            asked, died = killed(mutant)
            out.write(f"{index * step + offset} {asked} {int(died)}\n")
            out.flush()
