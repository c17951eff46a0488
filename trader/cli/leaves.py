"""`trader exit PAIR` and `trader exit --all`: close by hand, in the next cycle or at once.

Lives here: waiting for a running cycle, the pass that sells at once, and the words about it. Must
not live here: what is written down (`app.leaving`), and the sale (`core.exits`, `core.asked`).
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from trader.app.leaving import Leaving, ask_exit, left_rows, withdraw_exit
from trader.cli.given import account_setup, setup_options
from trader.cli.kills import By, Reason
from trader.cli.output import print_json, print_lines
from trader.cli.pairs import pair_of
from trader.cli.passes import Pass, one_pass
from trader.cli.typed import AsJson, Config, Now, StateDir
from trader.core.asked import ALL
from trader.core.snapshot import halt_rank
from trader.core.state import HALT_LEVELS
from trader.errors import ExitCode, TraderError, UsageError, worst
from trader.ops.lock import hold, is_held
from trader.wiring import Setup, open_journal, stop_on_signals

# A cycle that runs now is over within its deadline, a minute at most.
WAIT_S, POLL_S = 60.0, 0.1
FROZEN = HALT_LEVELS[3]


def leave(
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    now: Now,
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="Such as BTC/USDT.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every position.")] = False,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Sell now, and say whether it is done.")
    ] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back what was asked for; nothing is sold.")
    ] = False,
    by: By = "",
    reason: Reason = "",
) -> int:
    """Close one position, or --all: by a named human, with a reason."""
    if bool(pair) == everything or (withdraw and at_once):
        raise UsageError("say what is to be left", "give one pair, or --all")
    symbol = ALL if everything else pair_of(pair)
    setup = account_setup(setup_options(config, state_dir, now), decides=at_once)
    wait_until_free(setup)
    with hold(setup.places.lock), open_journal(setup) as journal:
        if withdraw:
            taken = withdraw_exit(journal, symbol, by, reason, setup.clock.now_ms())
            print_lines(setup.run.parameters.mode, [withdrawn_line(symbol, done=taken)])
            return int(ExitCode.OK)
        asked = ask_exit(journal, symbol, by, reason, setup.clock.now_ms())
        level = HALT_LEVELS[halt_rank(journal.state, setup.run.latch_level())]
    nothing = not (asked.held or asked.working)
    if nothing or not at_once:
        code, done, left, trouble = ExitCode.OK, None, list[dict[str, Any]](), ""
    else:
        code, done, left, trouble = sell_now(setup, symbol)
    if as_json:
        said: dict[str, Any] = {"asked": not nothing, "held": list(asked.held), "level": level}
        sold = {"confirmed": code != ExitCode.NOT_CONFIRMED, "left": left, "trouble": trouble}
        row = {"mode": setup.run.parameters.mode, "symbol": symbol, **said}
        print_json({**row, **(sold | {"pass": done.row if done else None} if at_once else {})})
        return int(code)
    lines = asked_lines(asked, level, by.strip(), reason.strip(), at_once=at_once)
    if not nothing and at_once:
        lines += sold_lines(asked, done, left, trouble)
        if code == ExitCode.NOT_CONFIRMED and level != FROZEN:
            lines.append("every cycle goes on selling until it is done")
        if code == ExitCode.NOT_CONFIRMED:
            lines.append("look at the venue yourself now")
    print_lines(setup.run.parameters.mode, lines)
    return int(code)


def wait_until_free(setup: Setup) -> None:
    """Let a cycle that runs now end; one that does not is told by whoever takes the lock."""
    for _ in range(round(WAIT_S / POLL_S)):
        if not is_held(setup.places.lock):
            return
        time.sleep(POLL_S)


def sell_now(setup: Setup, symbol: str) -> tuple[ExitCode, Pass | None, list[dict[str, Any]], str]:
    """One pass: (exit code, the pass, what is left, what stood in its way)."""
    try:
        wait_until_free(setup)
        with stop_on_signals(setup.stop):
            done = one_pass(setup)
    except TraderError as error:
        return ExitCode.NOT_CONFIRMED, None, [], str(error)
    left = left_rows(done.state, symbol)
    codes = [ExitCode.NOT_CONFIRMED] if left else []
    if done.report.code not in {ExitCode.HALTED, ExitCode.DATA}:
        codes.append(done.report.code)
    return worst(codes), done, left, ""


def withdrawn_line(symbol: str, *, done: bool) -> str:
    """What came of taking it back."""
    what = Leaving(symbol, (), ()).what
    return f"{what} is not to be left any more" if done else f"nobody asked to leave {what}"


def asked_lines(asked: Leaving, level: str, by: str, reason: str, *, at_once: bool) -> list[str]:
    """What was written down, and what comes of it."""
    if not (asked.held or asked.working):
        return ["nothing is held: there is nothing to leave"]
    lines = [f"{asked.what} is to be left; {by}: {reason}"]
    if asked.symbol == ALL:
        lines += [f"  {symbol}" for symbol in asked.held]
    lines += [f"  {symbol}: an order may still fill" for symbol in asked.working]
    if level == FROZEN:
        lines.append("the account is frozen: nothing is sold before `trader kill resume`")
    elif not at_once:
        lines.append("the next cycle sells, and each after it, until it is done (force_exit)")
        lines.append("to sell now: the same with --at-once")
    return lines


def sold_lines(
    asked: Leaving, done: Pass | None, left: list[dict[str, Any]], trouble: str
) -> list[str]:
    """What a pass made of it."""
    lines = list(done.lines) if done is not None else []
    if done is not None and not left:
        of = "" if asked.symbol == ALL else f"of {asked.symbol} "
        return [*lines, f"CONFIRMED: nothing {of}is left that the venue would take"]
    lines.append(f"NOT CONFIRMED{': ' + trouble if trouble else ''}")
    left_of = [f"LEFT {row['qty']} of {row['symbol']}{_orders(row['orders'])}" for row in left]
    return lines + left_of


def _orders(count: int) -> str:
    return f", {count} {'order' if count == 1 else 'orders'} may still fill" if count else ""
