"""A strategy file in its own process: whatever it does there is an answer or a lost strategy."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from trader.app import strategy_process
from trader.app.strategy_process import StrategyLost, StrategyProcess, StrategyRaised

from .strategy_files import bars, strategy

NUMBERS = {"n": 4, "share": 0.5}


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy_process, "EVALUATE_S", 1.0)
    monkeypatch.setattr(strategy_process, "EVALUATE_S_LEAST", 1.0)
    monkeypatch.setattr(strategy_process, "LOAD_S", 3.0)


def test_a_file_tells_its_parameters_its_warmup_and_its_columns() -> None:
    process = StrategyProcess("one", strategy("enter[-1] = p['share'] > 0.25"))
    assert process.parameters() == NUMBERS
    assert process.warmup({"n": 9, "share": 0.5}) == 9
    columns = process.signals(bars(), NUMBERS)
    assert list(columns["enter"]) == [0.0] * 49 + [1.0]
    assert {name: len(column) for name, column in columns.items()} == {
        "enter": 50,
        "exit": 50,
        "stop": 50,
    }


def test_the_columns_of_the_bars_arrive_to_the_bit_and_cannot_be_written() -> None:
    echo = "enter, leave, stop = list(bars.open), list(c), [float(at) for at in bars.open_ms]"
    columns = StrategyProcess("one", strategy(echo)).signals(bars(), NUMBERS)
    seen = bars()
    assert columns["enter"] == seen.open
    assert columns["exit"] == seen.close
    assert list(columns["stop"]) == [float(at) for at in seen.open_ms]
    with pytest.raises(StrategyRaised, match="read-only") as caught:
        StrategyProcess("one", strategy("bars.close[0] = 1.0")).signals(bars(), NUMBERS)
    assert type(caught.value).__name__ == "TypeError"
    assert caught.value.line == 16


RAISED = {
    "its own class": ("raise Odd('x')", "Odd", "x"),
    "a division": ("1 / 0", "ZeroDivisionError", "division"),
    "sys.exit": ("sys.exit(3)", "SystemExit", "3"),
    "an interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt", "^$"),
    "no end of calls": ("(lambda f: f(f))(lambda f: f(f))", "RecursionError", "recursion"),
    "a thread": ("threading.Thread(target=int).start()", "ReachesOut", "thread"),
    "a file that is read": ("open('/etc/passwd')", "ReachesOut", "passwd"),
    "a file that is written": ("open('mine.txt', 'w')", "ReachesOut", "mine.txt"),
    "a connection": ("socket.create_connection(('127.0.0.1', 9))", "ReachesOut", "socket"),
    "a program": ("subprocess.run(['true'])", "ReachesOut", "subprocess"),
    "a fork": ("os.fork()", "ReachesOut", "fork"),
    "a signal to the parent": ("os.kill(os.getppid(), 9)", "ReachesOut", "os.kill"),
    "no columns": ("return None", "TypeError", "NoneType"),
    "words for numbers": ("enter = ['yes'] * n", "TypeError", "column enter"),
    "a dict for a column": ("enter = dict.fromkeys(range(n))", "TypeError", "column enter"),
}


@pytest.mark.parametrize("what", RAISED)
def test_what_a_strategy_raises_arrives_under_its_own_name(what: str) -> None:
    body, name, said = RAISED[what]
    imports = "os, socket, subprocess, sys, threading"
    text = strategy(body, imports=imports, top="class Odd(Exception): pass")
    process = StrategyProcess("one", text)
    with pytest.raises(StrategyRaised, match=said) as caught:
        process.signals(bars(), NUMBERS)
    assert type(caught.value).__name__ == name
    assert process.usable


LOST = {
    "a loop": ("while True: pass", "why=time in=signals limit_ms=1000"),
    "a loop in C": ("sum(itertools.repeat(1))", "why=time in=signals limit_ms=1000"),
    "a nap": ("time.sleep(60)", "why=time in=signals limit_ms=1000"),
    "an end": ("os._exit(3)", "why=died in=signals code=3"),
    "a crash": ("ctypes.string_at(0)", "why=died in=signals signal=11"),
    "all memory at once": ("bytearray(1 << 42)", "why=memory in=signals"),
}


@pytest.mark.parametrize("what", LOST)
def test_a_process_that_is_lost_is_a_trouble_and_stays_one(what: str) -> None:
    body, why = LOST[what]
    process = StrategyProcess("one", strategy(body, imports="ctypes, itertools, os, time"))
    for _ in range(2):
        with pytest.raises(StrategyLost) as caught:
            process.signals(bars(), NUMBERS)
        assert (caught.value.name, caught.value.trouble) == ("one", f"STRATEGY_FAILED {why}")
    assert not process.usable
    assert process.warmup(NUMBERS) == 0


def test_memory_that_is_taken_bit_by_bit_ends_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy_process, "EVALUATE_S", 30.0)
    process = StrategyProcess("one", strategy("x = [0]\n    while True: x += x"))
    with pytest.raises(StrategyLost, match="why=memory in=signals"):
        process.signals(bars(), NUMBERS)


def test_a_file_that_never_loads_is_lost_and_one_that_fails_says_where() -> None:
    with pytest.raises(StrategyLost, match="why=time in=load"):
        StrategyProcess("one", "while True: pass").parameters()
    with pytest.raises(StrategyRaised, match="fails when loaded") as caught:
        StrategyProcess("one", "x = 1\n1 / 0\n").parameters()
    assert (type(caught.value).__name__, caught.value.line) == ("ZeroDivisionError", 2)


def test_what_is_printed_stays_inside_and_is_told() -> None:
    process = StrategyProcess(
        "one", strategy("print('so', n)\n    os.write(1, b'x')", imports="os")
    )
    with pytest.raises(StrategyRaised) as caught:
        process.signals(bars(), NUMBERS)
    assert (type(caught.value).__name__, caught.value.printed) == ("Prints", "so 50\n")


def test_nothing_of_the_parent_is_left_to_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADER_LIVE_SECRET", "not for strategies")
    told = "raise RuntimeError(f'{sorted(os.environ)} {len(os.listdir(\"/proc/self/fd\"))}')"
    with (tmp_path / "journal").open("w", encoding="utf-8") as file:
        process = StrategyProcess("one", strategy(told, imports="os"))
        with pytest.raises(StrategyRaised) as caught:
            process.signals(bars(), NUMBERS)
        assert not file.closed
    # Three that are /dev/null, two pipes, and the one that looks.
    assert str(caught.value) == "['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'TZ'] 6"


def test_a_process_outlives_the_signals_that_end_a_pass_in_order() -> None:
    process = StrategyProcess("one", strategy())
    process.parameters()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process.pid, number)
    assert len(process.signals(bars(), NUMBERS)["enter"]) == 50


def test_a_process_dies_with_its_parent_even_in_a_loop_in_c() -> None:
    text = strategy("sum(itertools.repeat(1))", imports="itertools")
    program = (
        "import sys; from trader.app.strategy_process import StrategyProcess\n"
        "from tests.app.strategy_files import bars\n"
        f"process = StrategyProcess('one', {text!r}); numbers = process.parameters()\n"
        "print(process.pid, flush=True); process.signals(bars(), numbers)"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not _runs(pid):
            break
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_host_without_another_file_or_process_is_a_trouble() -> None:
    StrategyProcess("one", strategy()).close()  # whatever is imported for it is now
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        process = StrategyProcess("one", strategy())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with pytest.raises(StrategyLost, match="why=start error=OSError"):
        process.parameters()
    assert not process.usable


def test_one_process_is_kept_for_a_file_and_a_new_one_made_for_a_new_text() -> None:
    first = strategy_process.strategy_process("one", strategy())
    assert strategy_process.strategy_process("one", strategy()) is first
    assert strategy_process.strategy_process("one", strategy("pass")) is not first
    first.close()
    assert strategy_process.strategy_process("one", strategy()) is not first


def test_an_interrupt_in_the_middle_of_a_question_ends_the_process() -> None:
    process = StrategyProcess("one", strategy("time.sleep(60)", imports="time"))
    process.parameters()

    def ring(*_: object) -> None:
        raise InterruptedError("the deadline")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(InterruptedError):
            process.signals(bars(), NUMBERS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not process.usable


def test_what_was_told_before_needs_no_waiting_and_is_made_good_when_asked() -> None:
    process = StrategyProcess("one", strategy("enter[0] = p['n']"))
    process.assume({"n": 7, "share": 0.5}, {"[('n', 7), ('share', 0.5)]": 11})
    assert process.parameters()["n"] == 7
    assert process.warmup({"n": 7, "share": 0.5}) == 11
    assert process.signals(bars(), {"n": 7})["enter"][0] == 7.0


def test_many_that_never_answer_do_not_take_all_the_time_of_a_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has half of the time that the one before it had, down to the least."""
    monkeypatch.setattr(strategy_process, "EVALUATE_S", 0.8)
    monkeypatch.setattr(strategy_process, "EVALUATE_S_LEAST", 0.1)
    monkeypatch.setattr(strategy_process, "_out_of_time", set[tuple[str, int]]())
    limits: list[str] = []
    for name in ("one", "two", "three", "four", "five"):
        process = StrategyProcess(name, strategy("while True: pass"))
        with pytest.raises(StrategyLost) as caught:
            process.signals(bars(), NUMBERS)
        limits.append(caught.value.trouble.rpartition("=")[2])
    assert limits == ["800", "400", "200", "100", "100"]


def test_a_fork_asks_a_process_of_its_own_and_leaves_the_others_answers_alone() -> None:
    process = StrategyProcess("one", strategy("enter[-1] = 1"))
    first = process.pid
    rows = [20, 30, 40, 50]
    forks: list[int] = []
    for count in rows:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads are of no concern
            pid = os.fork()
        if pid == 0:
            try:
                columns = process.signals(bars().slice(0, count), NUMBERS)
                own = process.pid not in {0, first}
                os._exit(0 if own and len(columns["enter"]) == count else 1)
            finally:
                os._exit(2)
        forks.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in forks] == [0] * 4
    assert process.pid == first
    assert len(process.signals(bars(), NUMBERS)["enter"]) == 50
