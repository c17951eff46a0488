"""What a strategy file declares, read from its syntax: nothing of it runs.

Lives here: the checks of `policy check` that need the Python text: does it parse, does it define
what a strategy must, and does the policy set parameters that it knows. Must not live here: running
it (`core.strategy`), or reading it (`strategy_files`).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trader.policy.checked import Form
from trader.policy.fields import close_to
from trader.policy.findings import Finding
from trader.policy.problems import Code
from trader.policy.strategy_files import FOLDER, StrategyFileRefused, load_strategy_file
from trader.policy.sweep_ranges import range_values, read_where
from trader.records import dataclass

REQUIRED = ("PARAMETERS", "warmup", "signals")


@dataclass(frozen=True, slots=True)
class Declared:
    """Names that a file binds at its top level; `parameters` is None when only running it tells.

    `complete`: whether the names are all there are (no star import, no branch at the top level).
    """

    names: frozenset[str]
    complete: bool
    parameters: Mapping[str, float | int] | None


class SourceUnusable(ValueError):
    """A text that is not Python; `line` from 1, or 0."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def declared(text: str) -> Declared:
    """What the text declares; raises SourceUnusable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise SourceUnusable(f"is not Python: {error.msg}", error.lineno or 0) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceUnusable("is not Python that can be parsed", 0) from error
    names: set[str] = set()
    complete = True
    parameters: Mapping[str, float | int] | None = None
    for statement in tree.body:
        bound = _bound_names(statement)
        complete = complete and bound is not None
        names.update(bound or ())
        if isinstance(statement, ast.Assign | ast.AnnAssign) and "PARAMETERS" in (bound or ()):
            parameters = _numbers(statement.value)
    return Declared(frozenset(names), complete, parameters)


def _bound_names(statement: ast.stmt) -> list[str] | None:
    """Names that a top-level statement binds; None when they cannot be told."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        names = [alias.asname or alias.name.split(".")[0] for alias in statement.names]
        return None if "*" in names else names
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        return names if len(names) == len(targets) else None
    return [] if isinstance(statement, ast.Expr | ast.Pass) else None


def _numbers(value: ast.expr | None) -> dict[str, float | int] | None:
    """A literal dict of numbers, or None."""
    if not isinstance(value, ast.Dict):
        return None
    numbers: dict[str, float | int] = {}
    for key, item in zip(value.keys, value.values, strict=True):
        try:
            name = ast.literal_eval(key) if key is not None else None
            number = ast.literal_eval(item)
        except (ValueError, TypeError, RecursionError):
            return None
        if not isinstance(name, str) or type(number) not in {int, float}:
            return None
        numbers[name] = number
    return numbers


def judge_strategies(
    form: Form,
    folders: Mapping[str, str],
    places: Mapping[str, str],
    used: Mapping[str, frozenset[str]],
) -> Iterator[Finding]:
    """What is wrong with the files of the form's strategies.

    `folders`: strategy -> folder of its configuration; `places`: such a folder as shown to people;
    `used`: the parameters that its rules read (see `compiling`).
    """
    for name, row in form["strategies"].items():
        file = row["file"]
        if not file:
            continue
        folder = folders[name]
        try:
            source = load_strategy_file(Path(folder) / FOLDER, file)
        except StrategyFileRefused as error:
            paths = (("strategies", name, "file"), ("strategies", name))
            message = f"{FOLDER}/{file} {error.message}"
            yield Finding(Code.STRATEGY_FILE, paths, message, error.hint)
            continue
        place = f"{places.get(folder) or '.'}/{FOLDER}/{file}".removeprefix("./")
        try:
            found = declared(source.text)
        except SourceUnusable as error:
            paths = (("strategies", name),)
            code = Code.STRATEGY_SOURCE
            yield Finding(code, paths, str(error), file=place, line=error.line)
            continue
        yield from _undefined(name, place, found)
        if name in used:
            known = found.parameters
            yield from _parameters(name, row, form["signals"]["presets"], known, used[name])


def _undefined(name: str, place: str, found: Declared) -> Iterator[Finding]:
    if found.complete:
        for required in REQUIRED:
            if required not in found.names:
                hint = "a strategy defines PARAMETERS, warmup(p) and signals(bars, p)"
                message = f"does not define {required}"
                paths = (("strategies", name),)
                yield Finding(Code.STRATEGY_SOURCE, paths, message, hint, file=place)


def _parameters(
    name: str,
    row: Mapping[str, dict[str, object]],
    presets: Mapping[str, dict[str, object]],
    known: Mapping[str, float | int] | None,
    used: frozenset[str],
) -> Iterator[Finding]:
    if known is None:
        return
    yield from _swept(name, row, known, used)
    preset = str(row["preset"])
    for key, value in {**presets.get(preset, {}), **row["parameters"]}.items():
        paths = (
            ("strategies", name, "parameters", key),
            ("signals", "presets", preset, key),
        )
        if key in used and key not in known:
            continue
        if key not in known:
            message = f"strategy {name} does not declare the parameter {key}"
            hint = close_to(key, known) or "it declares " + ", ".join(known)
            yield Finding(Code.PARAMETER_UNKNOWN, paths, message, hint)
        elif isinstance(known[key], int) and isinstance(value, str):
            message = f"strategy {name} declares {key} as a whole number, not {value}"
            yield Finding(Code.PARAMETER_KIND, paths, message, "write a whole number")


def _swept(
    name: str,
    row: Mapping[str, dict[str, object]],
    known: Mapping[str, float | int],
    used: frozenset[str],
) -> Iterator[Finding]:
    """Ranges and conditions of a sweep about parameters that neither file nor rules have."""
    there = {*known, *used, *row["parameters"]}
    sweep: Any = row["sweep"]
    at = ("strategies", name, "sweep")
    for key, text in sweep["ranges"].items():
        paths = ((*at, "ranges", key),)
        if key not in there:
            message = f"strategy {name} does not declare the parameter {key}"
            hint = close_to(key, there) or "it declares " + ", ".join(known)
            yield Finding(Code.PARAMETER_UNKNOWN, paths, message, hint)
        elif isinstance(known.get(key), int) and any("." in v for v in range_values(text)):
            message = f"strategy {name} declares {key} as a whole number, not {text}"
            yield Finding(Code.PARAMETER_KIND, paths, message, "write whole numbers")
    for text in sweep["where"]:
        for key in read_where(text).names:
            if key not in there:
                message = f"{text}: strategy {name} does not declare the parameter {key}"
                hint = close_to(key, there) or "it declares " + ", ".join(known)
                yield Finding(Code.SWEEP_WHERE, ((*at, "where"),), message, hint)
