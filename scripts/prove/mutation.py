"""Mutants of a Python file: the same code with one small thing wrong, and putting one in force.

Lives here: where a file can be wrong (comparisons, signs, roundings, constants, lines left out),
and the exchange of the code of live functions for a mutant's. Must not live here: which files, and
what is run against them.
"""

from __future__ import annotations

import ast
import copy
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
# Twins that are mistaken for each other: rounding, direction, bounds.
TWINS = {
    "mul_div_down": "mul_div_up",
    "mul_div_up": "mul_div_down",
    "share_down": "share_up",
    "share_up": "share_down",
    "price_up": "price_down",
    "price_down": "price_up",
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "notional_up": "notional_down",
    "notional_down": "notional_up",
}
SKIPPED = (ast.Raise, ast.JoinedStr, ast.arguments, ast.AnnAssign, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Mutant:
    """One small thing wrong: `number` of its site in the file, the first line of its statement."""

    module: str
    number: int
    line: int
    what: str

    @property
    def name(self) -> str:
        """Stable while the file does not change."""
        return f"{self.module}:{self.line} {self.what}"


class _Sites(ast.NodeTransformer):
    """Counts the sites of a file; makes the one with the wanted number wrong."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.count = 0
        self.statement = 0
        self.found: list[tuple[int, str]] = []
        self._changes: tuple[tuple[Any, Callable[[Any], ast.AST | None]], ...] = (
            (ast.Compare, self._compare),
            (ast.BinOp | ast.AugAssign, self._sign),
            (ast.BoolOp, self._both),
            (ast.UnaryOp, self._unary),
            (ast.Constant, self._constant),
            (ast.Name, self._twin),
            (ast.If | ast.IfExp | ast.While, self._choice),
        )

    def site(self, what: str) -> bool:
        """Whether this is the wanted site."""
        self.found.append((self.statement, what))
        self.count += 1
        return self.count - 1 == self.wanted

    def visit(self, node: ast.AST) -> ast.AST:
        """One node after another, in the order of the text."""
        if isinstance(node, SKIPPED):
            return node
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            self.statement = node.lineno
            if _can_go(node) and self.site(f"without `{_text(node)}`"):
                return ast.copy_location(ast.Pass(), node)
        changed = self._changed(node)
        return changed if changed is not None else self.generic_visit(node)

    def _changed(self, node: ast.AST) -> ast.AST | None:
        for kinds, change in self._changes:
            if isinstance(node, kinds):
                return change(node)
        return None

    def _sign(self, node: ast.BinOp | ast.AugAssign) -> ast.AST | None:
        other = COUNTED.get(type(node.op))
        if other is None or not self.site(f"{other.__name__} in `{_text(node)}`"):
            return None
        made = copy.deepcopy(node)
        made.op = other()
        return made

    def _both(self, node: ast.BoolOp) -> ast.AST | None:
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        if not self.site(f"{other.__name__} in `{_text(node)}`"):
            return None
        return ast.copy_location(ast.BoolOp(other(), node.values), node)

    def _unary(self, node: ast.UnaryOp) -> ast.AST | None:
        kept = not isinstance(node.op, ast.Not | ast.USub)
        if kept or not self.site(f"no {type(node.op).__name__} in `{_text(node)}`"):
            return None
        return node.operand

    def _twin(self, node: ast.Name) -> ast.AST | None:
        other = TWINS.get(node.id, "") if isinstance(node.ctx, ast.Load) else ""
        if not other or not self.site(f"{other} for {node.id}"):
            return None
        return ast.copy_location(ast.Name(other, node.ctx), node)

    def _choice(self, node: ast.If | ast.IfExp | ast.While) -> ast.AST | None:
        if not _plain(node.test) or not self.site(f"not `{_text(node.test)}`"):
            return None
        made = copy.deepcopy(node)
        made.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        return made

    def _compare(self, node: ast.Compare) -> ast.AST | None:
        for index, operator in enumerate(node.ops):
            other = COMPARED[type(operator)]
            if self.site(f"{other.__name__} in `{_text(node)}`"):
                made = copy.deepcopy(node)
                made.ops[index] = other()
                return made
        return None

    def _constant(self, node: ast.Constant) -> ast.AST | None:
        value = node.value
        if isinstance(value, bool):
            if self.site(f"{not value} for {value}"):
                return ast.copy_location(ast.Constant(not value), node)
        elif isinstance(value, int | float) and self.site(f"{value + 1} for {value}"):
            return ast.copy_location(ast.Constant(value + 1), node)
        return None


def _can_go(node: ast.stmt) -> bool:
    """Whether a statement can be left out: calls, and what is put into an attribute or a sum."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets)
    return isinstance(node, ast.AugAssign)


def _plain(test: ast.expr) -> bool:
    return isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript)


def _text(node: ast.AST) -> str:
    words = ast.unparse(node).splitlines()[0]
    return words if len(words) <= 60 else words[:57] + "..."


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions and methods of a file, in order; those inside functions belong to them."""
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        for one in inside:
            if isinstance(one, ast.FunctionDef):
                yield one


def _mutate(text: str, wanted: int) -> tuple[ast.Module, _Sites]:
    tree = ast.parse(text)
    sites = _Sites(wanted)
    for function in _functions(tree):
        body = function.body
        first = body[0]
        told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        rest = body[1:] if told else body
        changed = [cast("ast.stmt", sites.visit(statement)) for statement in rest]
        function.body = body[: len(body) - len(rest)] + changed
    return ast.fix_missing_locations(tree), sites


def mutants_of(module: str, text: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its text."""
    _, sites = _mutate(text, -1)
    return [Mutant(module, number, line, what) for number, (line, what) in enumerate(sites.found)]


def code_of(mutant: Mutant, text: str, path: str) -> dict[str, CodeType]:
    """The mutant's code objects by qualified name."""
    tree, _ = _mutate(text, mutant.number)
    return dict(_codes(compile(tree, path, "exec")))


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def live_functions(module: ModuleType) -> dict[str, list[FunctionType]]:
    """Every function object made by a module, by qualified name, wherever it is held."""
    found: dict[str, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__module__ == module.__name__:
            found.setdefault(thing.__qualname__, []).append(thing)
    return found


def put_in_force(codes: dict[str, CodeType], live: dict[str, list[FunctionType]]) -> None:
    """Exchange the code of live functions for the mutant's."""
    for name, functions in live.items():
        code = codes.get(name)
        for function in functions if code is not None else ():
            if code is not None and code.co_freevars == function.__code__.co_freevars:
                function.__code__ = code
