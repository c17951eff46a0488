"""The rules of a policy: each text becomes a plain program beside it, or a problem at its place.

Lives here: which texts make one program, where in a file a problem of a rule is shown, and what a
strategy of rules must say. Must not live here: what a rule means (see `rules_compile`), YAML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trader.policy.checked import Form
from trader.policy.fields import close_to
from trader.policy.findings import Finding
from trader.policy.gathering import Gathered
from trader.policy.problems import Code, Problem
from trader.policy.reading import Mark, Node
from trader.policy.rules_compile import DISTANCES, STEP_OUTPUT, check_triggers, compile_rules
from trader.policy.rules_problems import RuleProblem
from trader.policy.rules_triggers import Trigger
from trader.policy.tree import Path, find
from trader.policy.written_rules import distance_rule

CONDITIONS = ("enter", "exit", "strength")
UNKNOWN = "unknown"
STRATEGIES_MAX = 200
TRIGGERS_MAX = 200
# So many rules beyond all bounds are told; each of them takes the time that a bound allows.
LARGE_MAX = 20
TRIGGERS = ("signals", "triggers")
REGIME = ("universe", "regime")


def compile_form(form: Form, out: Gathered) -> dict[str, frozenset[str]]:
    """Puts the program of every strategy and of the regime into the form; notes what is wrong.

    Returns the parameters that each strategy's rules read, by strategy; those whose rules could
    not be compiled are missing.
    """
    used: dict[str, frozenset[str]] = {}
    if _too_many(form, out) or _is_broken(out, ("signals", "presets")):
        return used
    compiler = _Compiler(form, out)
    compiler.judge_triggers()
    for name, row in form["strategies"].items():
        at = ("strategies", name)
        if any(_is_broken(out, (*at, key)) for key in ("timeframe", "parameters", "preset")):
            continue
        row["program"], read = compiler.run(
            rule_texts(row), row["parameters"], row["timeframe"], at
        )
        if read is not None:
            used[name] = read
    regime = form["universe"]["regime"]
    if regime and not _is_broken(out, (*REGIME, "timeframe")):
        texts = {name: row["when"] for name, row in regime["states"].items() if row["when"]}
        place = (*REGIME, "states")
        regime["program"], _ = compiler.run(texts, {}, regime["timeframe"], place, ("when",))
    return used


class _Compiler:
    """The triggers that every rule of a policy may use, and where problems are noted."""

    def __init__(self, form: Form, out: Gathered) -> None:
        self.out = out
        self.triggers = {
            name: Trigger(row["rule"], row["parameters"])
            for name, row in form["signals"]["triggers"].items()
        }
        self.large = 0
        # Told already, by the schema or where they are written: their uses say nothing new.
        self.told = {name for name in self.triggers if _is_broken(out, (*TRIGGERS, name))}

    def judge_triggers(self) -> None:
        """Every trigger by itself, whoever uses it."""
        found = check_triggers(self.triggers)
        new = [problem for problem in found.problems if problem.output not in self.told]
        self._note(new, self.out.problems, TRIGGERS, ("rule",))
        self._note(found.warnings, self.out.warnings, TRIGGERS, ("rule",))
        self.told |= {problem.output for problem in found.problems}

    def run(
        self,
        texts: Mapping[str, str],
        parameters: Mapping[str, int | str],
        timeframe: str,
        above: Path,
        below: Path = (),
    ) -> tuple[dict[str, Any], frozenset[str] | None]:
        """One program and the parameters that it reads, None when there are problems.

        A text's key is `above`, its output, `below`.
        """
        if not texts:
            return {}, frozenset()
        if self.large >= LARGE_MAX:
            return {}, None
        found = compile_rules(
            texts, parameters=parameters, triggers=self.triggers, own_timeframe=timeframe
        )
        new = [problem for problem in found.problems if problem.trigger not in self.told]
        self.large += sum(problem.code is Code.RULE_TOO_LARGE for problem in found.problems)
        self._note(new, self.out.problems, above, below)
        own = [warning for warning in found.warnings if not warning.trigger]
        self._note(own, self.out.warnings, above, below)
        return found.program, None if found.problems else found.used

    def _note(
        self, found: Iterable[RuleProblem], into: list[Problem], above: Path, below: Path
    ) -> None:
        into += [_placed(self.out, one, (*above, one.output, *below)) for one in found]


def rule_texts(strategy: Mapping[str, Any]) -> dict[str, str]:
    """The rules of a strategy by output, shares of the price written out."""
    texts = {name: strategy[name] for name in CONDITIONS}
    texts |= {name: distance_rule(strategy[name]) for name in DISTANCES}
    for number, step in enumerate(strategy["scale_out"], 1):
        texts[f"{STEP_OUTPUT}{number}"] = distance_rule(step["at"])
    return {name: text for name, text in texts.items() if text}


def judge_sources_of_rules(
    form: Form, tree: Node, used: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    """What each strategy's keys say about where its decisions come from: once, and no more."""
    for name, row in form["strategies"].items():
        at = ("strategies", name)
        if row["file"] and row["enter"]:
            message = f"strategy {name} enters by a rule and by {row['file']}: it must be one"
            hint = "keep `enter`, or `file` (whose other columns rules may replace)"
            yield Finding(Code.ENTRY_TWICE, ((*at, "enter"), at), message, hint)
        if row["tier"] and find(tree, (*at, "instruments")) is not None:
            message = f"strategy {name} follows tier {row['tier']} and names instruments"
            yield Finding(Code.INSTRUMENTS_TWICE, ((*at, "instruments"), at), message, "keep one")
        if not row["file"] and name in used:
            yield from _unused(name, row, form["signals"]["presets"], used[name])


def judge_regime(form: Form) -> Iterator[Finding]:
    """A state whose name already says something else."""
    regime = form["universe"]["regime"]
    if regime and UNKNOWN in regime["states"]:
        message = f"{UNKNOWN} is what the regime is called while it cannot be told"
        paths = ((*REGIME, "states", UNKNOWN),)
        yield Finding(Code.REGIME_STATES, paths, message, "give the state another name")


def _unused(
    name: str,
    row: Mapping[str, Any],
    presets: Mapping[str, Mapping[str, Any]],
    used: frozenset[str],
) -> Iterator[Finding]:
    for key in row["parameters"]:
        if key in used:
            continue
        paths = (("strategies", name, "parameters", key),)
        if key in presets.get(row["preset"], {}):
            paths += (("signals", "presets", row["preset"], key),)
        message = f"no rule of strategy {name} reads the parameter {key}"
        hint = close_to(key, used) or "use it in a rule, or remove it"
        yield Finding(Code.PARAMETER_UNKNOWN, paths, message, hint)


def _too_many(form: Form, out: Gathered) -> bool:
    found = False
    for path, most in ((("strategies",), STRATEGIES_MAX), (("signals", "triggers"), TRIGGERS_MAX)):
        named: Any = form
        for key in path:
            named = named[key]
        if len(named) > most:
            node = find(out.tree, path)
            at = (node.key_at or node.at) if node else Mark(f"{path[0]}.yaml", 0, 0)
            message = f"{len(named)} {path[-1]}; at most {most}"
            out.problems.append(out.note(Code.TOO_LARGE, at, path, message))
            found = True
    return found


def _is_broken(out: Gathered, path: Path) -> bool:
    """Whether a value at, above or below `path` could not be used."""
    return any(broken[: len(path)] == path[: len(broken)] for broken in out.broken)


def _placed(out: Gathered, found: RuleProblem, path: Path) -> Problem:
    """A problem of a rule at its line and column of the file, as far as they can be told."""
    node = find(out.tree, path)
    if path[0] == "strategies" and found.output.startswith(STEP_OUTPUT):
        path = (*path[:2], "scale_out")
        step = int(found.output.removeprefix(STEP_OUTPUT)) - 1
        node = find(out.tree, (*path, step, "at"))
    at = _mark(node, found) if node else Mark(f"{path[0]}.yaml", 0, 0)
    return Problem(
        found.code.name,
        at.file,
        at.line,
        at.column,
        out.where(at.file, path),
        found.message,
        found.hint,
        found.excerpt,
    )


def _mark(node: Node, found: RuleProblem) -> Mark:
    text = node.value if isinstance(node.value, str) else ""
    at = node.at
    if not at.line:
        return Mark(at.file, 0, found.column)
    if node.style == "|":
        blank = len(text) - len(text.lstrip("\n"))
        return Mark(at.file, at.line + blank + found.line, 0)
    if not node.style or found.line != 1:
        return Mark(at.file, at.line, at.column)
    spaces = len(text) - len(text.lstrip())
    opening = 0 if node.style == "plain" else 1
    return Mark(at.file, at.line, at.column + opening + spaces + found.column - 1)
