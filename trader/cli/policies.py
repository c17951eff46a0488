"""`trader policy check | show | diff | schema | approve`.

Lives here: printing what the check finds, and the words of an approval. Must not live here: checks.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trader.cli.given import account_setup, setup_options
from trader.cli.kills import By, Reason
from trader.cli.output import print_json, print_lines
from trader.cli.policy_views import diff, schema, show
from trader.cli.typed import AsJson, Config, Now, StateDir

app = typer.Typer(no_args_is_help=True, help="The five policy files.")


Equity = Annotated[
    str,
    typer.Option(
        metavar="AMOUNT",
        help="Show what each strategy would really trade on an account of this size.",
    ),
]


@app.command()
def check(*, config: Config, state_dir: StateDir, equity: Equity = "", as_json: AsJson) -> int:
    """Check the five files; every problem at once, with file and line."""
    from trader.policy.problems import PolicyError

    try:
        found = checked_row(config, state_dir, equity)
    except PolicyError as error:
        if not as_json:
            raise
        print_json({"ok": False, **problem_rows(error.problems, error.warnings)})
        return int(error.code)
    if as_json:
        print_json(found)
        return 0
    print(f"[{found['mode']}] the policy is usable: {found['summary']}")
    print(f"[{found['mode']}] hash {found['sha']}")
    for warning in found["warnings"]:
        print(f"[{found['mode']}] warning: {warning['text']}")
    for name, verdict in found["strategies"].items():
        if verdict["code"]:
            print(f"[{found['mode']}] warning: strategy {name}: {verdict['said']}")
    for number, line in enumerate(found.get("sizes", {}).get("text", ())):
        print(line if number else f"[{found['mode']}] {line}")
    return 0


def checked_row(config: list[str], state_dir: str, equity: str = "") -> dict[str, Any]:
    """What a successful check says; raises PolicyError, or UsageError for a strategy's code.

    `equity`: also what strategies would trade on such an account; "" for not asked.
    """
    from trader.app.inputs import decision_inputs
    from trader.app.strategy_verdicts import refuse_cheats
    from trader.build import code_hash
    from trader.cli.size_tables import parse_equity, sizes_of
    from trader.policy.checking import check_policy
    from trader.policy.coherence_strategies import file_windows
    from trader.policy.problems import PolicyError
    from trader.policy.sources import find_sources
    from trader.policy.strategy_files import load_strategies
    from trader.wiring import cache_folder

    account = parse_equity(equity) if equity else None
    given = setup_options(config, state_dir)
    sources = find_sources(given.configs, cwd=given.cwd, env=given.env, stdin=given.stdin)
    checked = check_policy(sources, given.env, strategy_files=True)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, files = decision_inputs(checked.form, texts)
    verdicts = refuse_cheats(parameters, files, cache_folder(given), code_hash())
    told = {name: verdict.warmup for name, verdict in verdicts.items()}
    problems = file_windows(checked, told)
    if problems:
        raise PolicyError(problems, checked.warnings)
    names = ", ".join(spec.name for spec in parameters.strategies) or "no strategies"
    tiers = sorted({f"tier {spec.tier}" for spec in parameters.strategies if spec.tier})
    return {
        "ok": True,
        "mode": parameters.mode,
        "summary": f"{names} on {', '.join([*parameters.symbols, *tiers]) or 'nothing'}",
        "sha": checked.sha,
        "source_sha": checked.source_sha,
        "strategies": {name: verdict.row() for name, verdict in verdicts.items()},
        **problem_rows((), checked.warnings),
        **({} if account is None else {"sizes": sizes_of(checked.form, account)}),
    }


def problem_rows(problems: Any, warnings: Any) -> dict[str, list[dict[str, Any]]]:
    """Problems as JSON."""
    names = ("code", "file", "line", "column", "where", "message", "hint", "excerpt")

    def rows(found: Any) -> list[dict[str, Any]]:
        return [{**dict(zip(names, p.row(), strict=True)), "text": str(p)} for p in found]

    return {"problems": rows(problems), "warnings": rows(warnings)}


@app.command()
def approve(
    *, config: Config, state_dir: StateDir, now: Now, by: By = "", reason: Reason = ""
) -> int:
    """Approve the code, policy and lock file that run here: entries leave under no others."""
    from trader.app.approvals import approve as approve_hashes
    from trader.ops.lock import hold
    from trader.wiring import open_journal

    setup = account_setup(setup_options(config, state_dir, now), decides=False)
    run = setup.run
    with hold(setup.places.lock), open_journal(setup) as journal:
        changed = approve_hashes(journal, run.running, by, reason, setup.clock.now_ms())
    said = f"approved by {by.strip()}: {', '.join(changed)}" if changed else "nothing has changed"
    shas = f"code {run.code_sha[:12]}, lock {run.lock_sha[:12]}, policy {run.policy_sha[:12]}"
    print_lines(run.parameters.mode, [f"{said} ({shas})"])
    return 0


for view in (show, diff, schema):
    app.command()(view)
