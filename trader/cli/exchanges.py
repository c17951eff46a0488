"""`trader exchange serve`: the local exchange on loopback.

Lives here: the command; its options are the exchange's own (`trader.exchange.server`). Must not
live here: anything of the account.
"""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="The local exchange, for rehearsals and tests.")


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def serve(context: typer.Context) -> int:
    """Serve bar files as a venue on 127.0.0.1 until interrupted (see --help)."""
    from trader.exchange.server import run

    return run(context.args)
