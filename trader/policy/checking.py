"""The check: sources and environment -> a checked form, or every problem at once.

Lives here: running the schema over the gathered tree, putting its complaints into our words at the
user's line. Must not live here: YAML, single kinds of values, effective values (see `effective`),
rules between keys (see `coherence`). Imports pydantic and yaml: see `cache` for the way around.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from trader.core.canonical import sha256_of
from trader.policy.checked import Checked, Form, source_sha
from trader.policy.coherence import findings
from trader.policy.compiling import compile_form, judge_regime, judge_sources_of_rules
from trader.policy.compiling_calendar import compile_calendar
from trader.policy.effective import fill_in, origins
from trader.policy.fields import close_to
from trader.policy.findings import Finding
from trader.policy.foreign_keys import what_instead
from trader.policy.gathering import Gathered, gather
from trader.policy.problems import Code, PolicyError, Problem, is_credential_key, is_risk_key
from trader.policy.quantities import BadText
from trader.policy.reading import Mark, Node
from trader.policy.schema import Files
from trader.policy.sources import Source
from trader.policy.strategy_sources import judge_strategies
from trader.policy.tree import Path, find, plain, without

# Looking for what was meant costs a quarter of a millisecond; nobody reads the 300th hint.
GUESSES_MAX = 300
# Parts of a pydantic location that are not keys of ours.
_TAGS = frozenset({"word", "pairs"})


def check_policy(
    sources: Sequence[Source], env: Mapping[str, str], *, strategy_files: bool = False
) -> Checked:
    """The checked form; raises PolicyError that carries every problem of every source.

    `strategy_files`: see `examine`.
    """
    checked, problems, warnings = examine(sources, env, strategy_files=strategy_files)
    if checked is None or problems:
        raise PolicyError(problems, warnings)
    return checked


def examine(
    sources: Sequence[Source], env: Mapping[str, str], *, strategy_files: bool = False
) -> tuple[Checked | None, list[Problem], list[Problem]]:
    """The checked form (None when there are problems), problems and warnings, in file order.

    With `strategy_files` the Python files are read (not run) too: who may write them, whether they
    parse, and whether they declare the parameters that the policy sets.
    """
    out = gather(sources, env)
    form = _validated(out)
    origin: dict[str, str] = {}
    if form is not None:
        origin = origins(form, out.tree)
        fill_in(form, out.tree, origin)
        compile_calendar(form)
        used = compile_form(form, out)
        found = findings(form, out.tree, out.broken)
        found += judge_sources_of_rules(form, out.tree, used)
        found += judge_regime(form)
        if strategy_files:
            places = {source.folder: posixpath.dirname(source.label) for source in sources}
            found += judge_strategies(form, out.folders, places, used)
        for finding in found:
            if _is_about(finding, out.broken):
                continue
            problem = _placed(out, finding)
            (out.warnings if finding.warning else out.problems).append(problem)
    problems = _in_order(out, out.problems)
    warnings = _in_order(out, out.warnings)
    if problems or form is None:
        return None, problems, warnings
    sweeps = _taken_sweeps(form, origin)
    checked = Checked(
        form,
        sha256_of(form),
        source_sha(sources, env, out.beside),
        tuple(warnings),
        origin,
        out.folders,
        out.beside,
        sweeps,
    )
    return checked, [], warnings


def _taken_sweeps(form: Form, origin: dict[str, str]) -> dict[str, Form]:
    """What sweeps try, out of the form: a decision reads none of it, and its hash holds none."""
    sweeps: dict[str, Form] = {}
    for name, row in form["strategies"].items():
        declared = row.pop("sweep")
        if declared["ranges"] or declared["where"]:
            sweeps[name] = declared
            continue
        for key in ("ranges", "where"):
            origin.pop(f"strategies.{name}.sweep.{key}", None)
    return sweeps


def _validated(out: Gathered) -> Form | None:
    """The form of what is valid; what is not is noted, left out and counted as broken."""
    tree = out.tree
    for _ in range(3):
        try:
            return Files.model_validate(plain(tree)).model_dump()
        except ValidationError as error:
            cuts: set[Path] = set()
            for detail in error.errors(include_url=False):
                cuts.add(_note(out, detail))
            out.broken |= cuts
            tree = without(tree, cuts)
    return None


def _note(out: Gathered, detail: Any) -> Path:
    """Notes one complaint of pydantic; returns the keys that lead to what must be left out."""
    loc = detail["loc"]
    bad_key = bool(loc) and loc[-1] == "[key]"
    steps = _steps(loc[:-1] if bad_key else loc)
    path = tuple(step for step in steps if isinstance(step, str))
    found = find(out.tree, steps)
    node = found or _nearest(out.tree, steps)
    # What must be there and is not, or no more, cannot be left out: what it belongs to is.
    gone = found is None or path in out.broken
    cut = _above_list(steps) or (path[:-1] if gone and len(path) > 1 else path)
    if node.absent or path in out.broken:  # said already: what was refused is now missing
        return cut
    guess = len(out.problems) < GUESSES_MAX
    code, message, hint = _words(path, node, detail, bad_key=bad_key, guess=guess)
    at = node.key_at or node.at if bad_key or code in _KEY_CODES else node.at
    out.problems.append(out.note(code, at, path, message, hint))
    return cut


def _above_list(steps: tuple[str | int, ...]) -> Path:
    """The list that a key is within a row of, () when it is in none: a list is left out whole."""
    numbers = [at for at, step in enumerate(steps[:-1]) if isinstance(step, int)]
    return tuple(str(step) for step in steps[: numbers[0]]) if numbers else ()


_KEY_CODES = frozenset(
    {
        Code.UNKNOWN_KEY.name,
        Code.CREDENTIAL.name,
        Code.BAD_NAME.name,
        Code.RISK_AMBIGUOUS.name,
    }
)


def _steps(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A pydantic location without the tags of its unions."""
    steps: list[str | int] = []
    for part in loc:
        if part in _TAGS and steps and steps[-1] == "instruments":
            continue
        steps.append(part)
    return tuple(steps)


def _nearest(tree: Node, steps: tuple[str | int, ...]) -> Node:
    """Where a key that was not written would stand: the key above it."""
    for length in range(len(steps) - 1, 0, -1):
        above = find(tree, steps[:length])
        if above is not None:
            return Node("", above.key_at or above.at)
    return Node("", Mark("", 0, 0))


def _words(
    path: Path, node: Node, detail: Any, *, bad_key: bool, guess: bool
) -> tuple[str, str, str]:
    """Code, message and hint of one complaint of pydantic."""
    kind = detail["type"]
    error = detail.get("ctx", {}).get("error")
    if bad_key:
        told = isinstance(error, BadText) and error.code is not Code.NOT_A_NAME
        hint = "lower case, digits and single underscores, at most 32"
        name = (Code.BAD_NAME.name, "is not a name", hint)
        return (error.code.name, error.message, error.hint) if told else name
    if kind == "extra_forbidden":
        return _unknown_key(path, guess=guess)
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        what = "a list" if isinstance(node.value, list) else "a single value"
        return Code.WRONG_KIND.name, f"must hold keys and values, not {what}", ""
    if kind == "list_type":
        example = _LISTS.get(path[-1], "[BTC/USDT, ETH/USDT]")
        return Code.WRONG_KIND.name, "must be a list", f"write {example}"
    if kind == "too_long":
        limits = detail["ctx"]
        message = f"{limits['actual_length']} items; at most {limits['max_length']}"
        return Code.TOO_LARGE.name, message, ""
    if kind == "literal_error":
        return (
            Code.NOT_A_CHOICE.name,
            "is neither `universe` nor a list",
            "write [BTC/USDT]",
        )
    if isinstance(error, BadText):
        return error.code.name, error.message, error.hint
    return Code.WRONG_KIND.name, str(detail["msg"]), ""


_LISTS = {
    "tiers": "[core]", "sides": "[buy]", "order_types": "[limit]", "venues": "[binance]",
    "where": "[fast < slow]",
}  # fmt: skip
_RISK_KEYS = {
    "policy": "write limits.exposure_max for the value of all positions, or limits.loss_max for "
    "what is lost if every stop is hit",
    "universe": "write weight for the value of a tier's positions; what a regime leaves of a size "
    "is regime.states.*.risk",
    "strategies": "write budget.exposure for the value of its positions, budget.loss for what is "
    "lost if every stop is hit, size.equity_share for the value of one, or size.method: risk with "
    "size.loss for what one loses at its stop",
    "signals": "write defaults.equity_share for the value of a position; what one may lose at its "
    "stop is defaults.size: risk, with size.loss of a strategy",
}


def _unknown_key(path: Path, *, guess: bool) -> tuple[str, str, str]:
    key = path[-1]
    if is_credential_key(key):
        hint = "credentials never stand in a policy: name their variable under "
        return (
            Code.CREDENTIAL.name,
            "is a place for a credential",
            hint + "app.exchange.credentials",
        )
    if is_risk_key(key):
        message = "does not say what is at risk: exposure (value) or loss (to the stop)"
        return Code.RISK_AMBIGUOUS.name, message, _RISK_KEYS.get(path[0], _RISK_KEYS["policy"])
    known = keys_at(path[:-1])
    if not guess:
        return Code.UNKNOWN_KEY.name, "unknown key", ""
    hint = what_instead(".".join(path)) or close_to(key, known)
    if not hint and len(path) == 2 and key == path[0]:
        hint = f"this file already is section {key}: remove this line and one indentation"
    # A key whose name only begins so is nearer than one of the same name somewhere else.
    begun = any(name.startswith(f"{key}_") for name in known)
    if not hint and not begun:
        elsewhere = [name for name in all_keys() if name.split(".")[-1] == key]
        hint = f"did you mean {elsewhere[0]}" if elsewhere else ""
    if not hint and len(known) <= 16:
        hint = "known here: " + ", ".join(known)
    return Code.UNKNOWN_KEY.name, "unknown key", hint


def _kind_at(path: Path) -> Any:
    """The schema's type at `path`; None where it knows none."""
    here: Any = Files
    for key in path:
        here = _row_of(here)
        if isinstance(here, type) and issubclass(here, BaseModel):
            field = here.model_fields.get(key)
            here = _present(field.annotation) if field else None
        elif get_origin(here) is dict:
            here = get_args(here)[1]
        else:
            return None
    return here


def field_at(path: Path) -> FieldInfo | None:
    """The schema's declaration of the key at `path`; None for the user's own names."""
    above = _kind_at(path[:-1])
    if isinstance(above, type) and issubclass(above, BaseModel):
        return above.model_fields.get(path[-1])
    return None


def keys_at(path: Path) -> list[str]:
    """The keys that the schema knows below `path`."""
    here = _row_of(_kind_at(path))
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []


def _row_of(kind: Any) -> Any:
    """The type of a list's rows, whose keys are the list's; any other type as it is."""
    return _present(get_args(kind)[0]) if get_origin(kind) is list else kind


@cache
def all_keys() -> tuple[str, ...]:
    """Every leaf key of the schema, dotted; `*` stands for the user's own names."""
    return tuple(".".join(path) for path in _leaves(Files, ()))


def _leaves(kind: Any, path: Path) -> list[Path]:
    if get_origin(kind) is dict:
        return _leaves(get_args(kind)[1], (*path, "*"))
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return [path]
    found: list[Path] = []
    for name, field in kind.model_fields.items():
        found += _leaves(_present(field.annotation), (*path, name))
    return found


def _present(kind: Any) -> Any:
    """The type of a value that is not left out: `X` of `X | None`."""
    if get_origin(kind) is Annotated:
        return _present(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        inner = [part for part in get_args(kind) if part is not NoneType]
        return inner[0] if len(inner) == 1 else kind
    return kind


def _placed(out: Gathered, finding: Finding) -> Problem:
    """A finding at the first of its keys that somebody wrote."""
    if finding.file:
        where = ".".join(finding.paths[0])
        return Problem(
            finding.code.name,
            finding.file,
            finding.line,
            0,
            where,
            finding.message,
            finding.hint,
        )
    for path in finding.paths:
        node = find(out.tree, path)
        if node is not None:
            return out.note(finding.code, _spot(node, finding), path, finding.message, finding.hint)
    path = finding.paths[0]
    at = Mark(f"{path[0]}.yaml", 0, 0)
    return out.note(finding.code, at, path, finding.message, finding.hint)


def _is_about(finding: Finding, broken: set[Path]) -> bool:
    """Whether a finding is about a value that stands in for one that was refused."""
    path = finding.paths[0]
    return any(path[:length] in broken for length in range(1, len(path) + 1))


def _spot(node: Node, finding: Finding) -> Mark:
    """Where a finding is shown within a value: the item it is about, the value, or its key."""
    if isinstance(node.value, str):
        return node.at
    items = node.value if isinstance(node.value, list) else []
    wanted = {finding.item, finding.item.replace("/", "-")}
    marks = [item.at for item in items if isinstance(item.value, str) and item.value in wanted]
    return marks[-1] if marks else node.key_at or node.at


def _in_order(out: Gathered, problems: list[Problem]) -> list[Problem]:
    """By file in order of precedence, then line; a credential hides other complaints about it."""
    rank = {label: number for number, label in enumerate(out.labels)}
    secret = {(p.file, p.line, p.where) for p in problems if p.code == Code.CREDENTIAL.name}
    kept = [
        p
        for p in dict.fromkeys(problems)
        if p.code == Code.CREDENTIAL.name or (p.file, p.line, p.where) not in secret
    ]
    return sorted(kept, key=lambda p: (rank.get(p.file, len(rank)), p.line, p.column))
