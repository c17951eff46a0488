"""The console script: the edge where every error becomes one sentence and an exit code.

Lives here: choosing between the light path and typer, and the only broad `except` of the program.
Must not live here: commands.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

from trader.cli.options import parse_light
from trader.cli.output import say_detail, say_error, spoken_mode
from trader.errors import ExitCode, TraderError

# New objects after which a back-test looks for rings among them.
BACKTEST_OBJECTS = 50_000
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO})


def main() -> int:
    """Run the command line of this process; returns its exit code."""
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_reader()
    except OSError as error:
        code = _disk(error)
        _forget_reader()
    if parse_light(sys.argv[1:]) is not None:
        # Journal and connections are closed; taking the interpreter apart costs a tenth of a pass.
        sys.stderr.flush()
        os._exit(code)
    return code


def run(argv: Sequence[str]) -> int:
    """Run one command line; never raises, but for SystemExit from deep inside."""
    spoken_mode.set("")
    try:
        return _dispatch(argv)
    except TraderError as error:
        return _explain(error)
    except KeyboardInterrupt:
        say_error("interrupted")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read us is gone (`trader ... | head`): that is no failure of ours.
        _forget_reader()
        return int(ExitCode.OK)
    except OSError as error:
        return _disk(error) if error.errno in _DISK else _report_bug(error, argv)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a sentence
        return _report_bug(error, argv)


def _forget_reader() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _disk(error: OSError) -> int:
    where = f" {error.filename}" if error.filename else ""
    say_error(
        f"cannot write{where}: {error.strerror}; make room or give write access, then run again"
    )
    return int(ExitCode.JOURNAL)


def _dispatch(argv: Sequence[str]) -> int:
    light = parse_light(argv)
    if light is None:
        from trader.cli.tree import run_tree

        return run_tree(argv)
    command, values = light
    # A short process leaves its garbage to the kernel; collecting it costs a tenth of a pass.
    gc.disable()
    if command == "backtest":
        from trader.cli.backtests import backtest_command

        # It may be a long one: what is there by now stays, the rest is looked at now and then.
        gc.freeze()
        gc.set_threshold(BACKTEST_OBJECTS)
        gc.enable()
        return backtest_command(values)
    if command == "cycle":
        from trader.cli.passes import cycle_command

        return cycle_command(**values)
    from trader.cli.statuses import status_command

    return status_command(**values)


def _explain(error: TraderError) -> int:
    problems: tuple[object, ...] = getattr(error, "problems", ())
    if len(problems) > 1:
        say_error(f"the policy has {len(problems)} problems:")
        for problem in problems:
            say_detail(str(problem))
            _draw(problem)
    else:
        say_error(str(error))
        for problem in problems:
            _draw(problem)
    warnings: tuple[object, ...] = getattr(error, "warnings", ())
    for warning in warnings:
        say_detail(f"warning: {warning}")
    return int(error.code)


def _draw(problem: object) -> None:
    """The line of a rule with its caret, which must not be folded."""
    for line in str(getattr(problem, "excerpt", "")).splitlines():
        print(f"    {line}", file=sys.stderr)


def _report_bug(error: Exception, argv: Sequence[str]) -> int:
    # Only here: a run without a bug does not pay for them.
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    if any(word in {"-v", "-vv", "--verbose"} for word in argv):
        print(text, end="", file=sys.stderr)
        say_error(f"bug: {what}; please report it with the lines above")
        return int(ExitCode.BUG)
    try:
        handle, path = tempfile.mkstemp(prefix="trader-traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        where = f"the traceback is in {path}"
    except OSError as failure:
        where = f"its traceback could not be written ({failure.strerror}): run again with -v"
    say_error(f"bug: {what}; please report it, {where}")
    return int(ExitCode.BUG)


if __name__ == "__main__":
    sys.exit(main())
