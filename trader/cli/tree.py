"""The tree of commands, in typer.

Lives here: which command is where, and the running of typer without its own exits. Must not live
here: what a command does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.main import get_command

from trader.errors import ExitCode

# What typer raises for a mistyped command line; newer typers bring their own copy of click.
USAGE_ERRORS: type[Exception] = typer.BadParameter.__bases__[0]
EPILOG = "Exit codes are documented in docs/cli.md. Mode is app.mode: paper unless you say so."


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        from trader.build import describe

        print(f"trader {version('trader')}, core {describe()}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Every command. The modules of commands import what they need when they run."""
    from trader.cli import (
        audits,
        backtest_group,
        data,
        demos,
        exchanges,
        flows,
        kills,
        leaves,
        light_commands,
        papers,
        policies,
        previews,
        resumes,
        signal_shows,
        stops,
        strategies,
        universes,
    )

    app = typer.Typer(
        name="trader",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(  # pyright: ignore[reportUnusedFunction] - typer keeps it
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
        ] = False,
    ) -> None:
        """A trading bot that writes down every decision before it acts on it."""

    app.command()(demos.demo)
    app.command()(light_commands.cycle)
    app.add_typer(papers.app, name="paper")
    app.command()(light_commands.status)
    app.add_typer(backtest_group.app, name="backtest")
    app.add_typer(data.app, name="data")
    app.command()(previews.preview)
    app.command()(stops.stop)
    app.command()(resumes.resume)
    app.command("exit")(leaves.leave)
    app.add_typer(flows.app, name="flow")
    app.add_typer(kills.app, name="kill")
    app.add_typer(audits.app, name="audit")
    app.add_typer(policies.app, name="policy")
    app.add_typer(strategies.app, name="strategy")
    app.add_typer(universes.app, name="universe")
    app.add_typer(signal_shows.app, name="signals")
    app.add_typer(exchanges.app, name="exchange")
    return app


def run_tree(argv: Sequence[str]) -> int:
    """Run a command line; usage errors are one sentence and exit code 2."""
    command = get_command(build_app())
    try:
        code: Any = command.main(list(argv), prog_name="trader", standalone_mode=False)
    except typer.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        # What click makes of a reader that is gone; the edge knows that it is no failure.
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        raise
    except typer.Abort:
        return int(ExitCode.INTERRUPTED)
    except USAGE_ERRORS as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "trader")
        what = str(error).removesuffix(".")
        if what:  # else typer has shown the help already
            print(f"trader: {what}; see `{path} --help`", file=sys.stderr)
        return int(ExitCode.USAGE)
    return int(code or 0)
