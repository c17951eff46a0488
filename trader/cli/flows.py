"""`trader flow record | list`: money that came or went without a fill, by a named human.

Lives here: signatures and words. Must not live here: what may be told (`app.flows`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer

from trader.cli.given import account_setup, setup_options
from trader.cli.kills import By, Reason
from trader.cli.output import print_json, print_lines
from trader.cli.typed import AsJson, Config, Now, StateDir

app = typer.Typer(
    no_args_is_help=True,
    help="Deposits, withdrawals, rewards, fee coins: money that moved without a fill.",
)


@app.command()
def record(
    kind: Annotated[
        str, typer.Argument(help="deposit, withdrawal, reward, fee_coin or correction.")
    ],
    amount: Annotated[
        str, typer.Argument(help="How much; fee_coin and correction take a sign (after --).")
    ],
    *,
    config: Config,
    state_dir: StateDir,
    now: Now,
    asset: Annotated[
        str, typer.Option(metavar="COIN", help="Of what; the account's cash if not given.")
    ] = "",
    flow_id: Annotated[
        str, typer.Option("--id", metavar="ID", help="Names it, so that it is booked once.")
    ] = "",
    by: By = "",
    reason: Reason = "",
) -> int:
    """Write down that money came or went: capital moves by it, and no result does."""
    from trader.app.flows import Told, check_flow, record_flow
    from trader.ops.lock import hold
    from trader.wiring import check_paper_cash, move_paper_cash, open_journal

    setup = account_setup(setup_options(config, state_dir, now), decides=False)
    with hold(setup.places.lock), open_journal(setup) as journal:
        told = Told(kind, amount, asset, flow_id)
        payload = check_flow(journal.state, told, by, reason, setup.clock.now_ms())
        moved = Decimal(payload["amount"])
        # The paper venue is ours too: what comes, comes there first, and what goes, goes there
        # last, so that the books never claim what the venue does not have.
        known = journal.knows_flow(payload["flow_id"])
        if moved < 0 and not known:
            check_paper_cash(setup, payload["asset"], moved)
        elif not known:
            move_paper_cash(setup, payload["asset"], moved)
        done = record_flow(journal, payload)
        if moved < 0 and done:
            move_paper_cash(setup, payload["asset"], moved)
    said = f"{kind} of {payload['amount']} {payload['asset']}"
    words = f"{said} is written down as {payload['flow_id']}; by {payload['by']}: {payload['why']}"
    if done and not payload["units"]:
        words += "; these coins are yours: the program neither sizes by them nor sells them"
    if not done:
        words = f"a flow {payload['flow_id']} is written down already: nothing was done"
    print_lines(setup.run.parameters.mode, [words])
    return 0


@app.command("list")
def list_flows(*, config: Config, state_dir: StateDir, now: Now, as_json: AsJson) -> int:
    """Show every flow that was written down, oldest first."""
    from trader.wiring import open_journal

    setup = account_setup(setup_options(config, state_dir, now), decides=False)
    with open_journal(setup, read_only=True) as journal:
        rows = journal.flows()
    mode = setup.run.parameters.mode
    if as_json:
        print_json({"mode": mode, "flows": rows})
        return 0
    lines = [
        f"{datetime.fromtimestamp(int(row['at_ms']) // 1000, UTC):%Y-%m-%d %H:%M}Z "
        f"{row['kind']} {row['amount']} {row['asset']} ({row['flow_id']}) "
        f"by {row['by']}: {row['why']}"
        for row in rows
    ]
    print_lines(mode, lines or ["no flow was written down"])
    return 0
