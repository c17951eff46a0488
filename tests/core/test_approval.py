"""What was not approved cannot be submitted: by type, and by who may make an Approved."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest

import trader
from trader.core.approval import Approved, _Seal, proposal_of, restore
from trader.core.state import Order

from .made import BTC, account, order_row

ROOT = Path(trader.__file__).parent
# file -> functions in which the maker of an Approved is called
CALLERS = {
    "core/gates.py": {"approve"},
    "core/shrunk.py": {"approve_less"},
    "core/approval.py": {"restore"},
}


def test_an_approved_cannot_be_made_by_calling_it() -> None:
    order = Order(order_row())
    for seal in (None, _Seal(), object()):
        with pytest.raises(TypeError, match="comes from the gates"):
            Approved(seal, proposal_of(order), "id", Decimal(1), Decimal(1))  # type: ignore[arg-type] # the point


def calls_of(tree: ast.AST) -> set[str]:
    """Names of functions that call `seal_approved`, or name the seal."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {
        function.name
        for function in functions
        if any(named(node) == "seal_approved" for node in ast.walk(function))
    }


def named(node: ast.AST) -> str:
    """The name that a node reads, if it is a name or an attribute."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def test_only_the_gates_what_shrinks_theirs_and_restore_make_one() -> None:
    read = 0
    found: dict[str, set[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        read += 1
        name = str(path.relative_to(ROOT))
        if "seal_approved" in text:
            found[name] = calls_of(ast.parse(text))
        if name != "core/approval.py":
            assert "_SEAL" not in text, f"{name} reaches for the seal"
            assert "object.__new__(Approved" not in text
    assert read > 50
    assert found == CALLERS


def test_a_leg_of_the_journal_is_restored_as_it_was_approved() -> None:
    state = account()
    row = order_row()
    approved = restore(Order(row), state.spec(BTC))
    assert approved.row() == row
    assert (approved.symbol, str(approved.side), str(approved.tif)) == (BTC, "buy", "ioc")
    assert (approved.price, approved.qty) == (Decimal("100.00"), Decimal("0.100"))
