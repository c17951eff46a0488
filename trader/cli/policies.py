"""`trader policy check | show | diff | schema`.

Lives here: printing what the check finds. Must not live here: checks.
"""

from __future__ import annotations

from typing import Any

import typer

from trader.cli.given import setup_options
from trader.cli.output import print_json
from trader.cli.policy_views import diff, schema, show
from trader.cli.typed import AsJson, Config, StateDir

app = typer.Typer(no_args_is_help=True, help="The five policy files.")


@app.command()
def check(*, config: Config, state_dir: StateDir, as_json: AsJson) -> int:
    """Check the five files; every problem at once, with file and line."""
    from trader.policy.problems import PolicyError

    try:
        found = checked_row(config, state_dir)
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
    return 0


def checked_row(config: list[str], state_dir: str) -> dict[str, Any]:
    """What a successful check says; raises PolicyError, or UsageError for a strategy's code."""
    from trader.app.inputs import decision_inputs
    from trader.policy.checking import check_policy
    from trader.policy.sources import find_sources
    from trader.policy.strategy_files import load_strategies

    given = setup_options(config, state_dir)
    sources = find_sources(given.configs, cwd=given.cwd, env=given.env, stdin=given.stdin)
    checked = check_policy(sources, given.env, strategy_files=True)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, _ = decision_inputs(checked.form, texts)
    names = ", ".join(spec.name for spec in parameters.strategies) or "no strategies"
    return {
        "ok": True,
        "mode": parameters.mode,
        "summary": f"{names} on {', '.join(parameters.symbols) or 'nothing'}",
        "sha": checked.sha,
        "source_sha": checked.source_sha,
        **problem_rows((), checked.warnings),
    }


def problem_rows(problems: Any, warnings: Any) -> dict[str, list[dict[str, Any]]]:
    """Problems as JSON."""
    names = ("code", "file", "line", "column", "where", "message", "hint", "excerpt")

    def rows(found: Any) -> list[dict[str, Any]]:
        return [{**dict(zip(names, p.row(), strict=True)), "text": str(p)} for p in found]

    return {"problems": rows(problems), "warnings": rows(warnings)}


for view in (show, diff, schema):
    app.command()(view)
