"""The heat map: means, digits, colours, and a picture that is well-formed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from trader.app.sweeping_heat import build_heat, caption, colour, hexed, is_light, svg
from trader.app.sweeping_rows import METRICS, TrialRow
from trader.app.sweeping_trials import Axis
from trader.errors import UsageError

FAST = Axis("s", "fast", ("2", "3"), False)
SLOW = Axis("s", "slow", ("5", "7", "9"), False)
STOP = Axis("s", "stop", ("0.05", "0.1"), True)


def row(trial: int, values: tuple[str, ...], value: str | None) -> TrialRow:
    metrics = tuple(value if metric.name == "sharpe" else None for metric in METRICS)
    return TrialRow(trial, values, "done", "", metrics)


def test_a_cell_is_the_mean_over_the_other_parameters() -> None:
    rows = [
        row(0, ("2", "5", "0.05"), "1"),
        row(1, ("2", "5", "0.1"), "2"),
        row(2, ("3", "9", "0.05"), "-4"),
        row(3, ("3", "9", "0.1"), None),
    ]
    heat = build_heat((FAST, SLOW, STOP), rows, "sharpe", ["fast", "s.slow"])
    assert (heat.across.name, heat.down.name) == ("s.fast", "s.slow")
    assert heat.cells == ((1.5, None), (None, None), (None, -4.0))
    assert heat.span == (-4.0, 1.5)
    assert caption(heat) == "sharpe: s.slow down, s.fast across, mean over stop"


def test_without_names_the_widest_two_are_taken_in_their_order() -> None:
    heat = build_heat((STOP, FAST, SLOW), [], "sharpe", [])
    assert (heat.down.name, heat.across.name) == ("s.stop", "s.slow")
    assert heat.span == (0.0, 0.0)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["fast"], "two parameters"),
        (["fast", "fast"], "two parameters"),
        (["fast", "slow", "stop"], "two parameters"),
        (["fast", "slwo"], "swept are: s.fast, s.slow, s.stop"),
    ],
)
def test_names_that_are_no_two_parameters_are_refused(names: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        build_heat((FAST, SLOW, STOP), [], "sharpe", names)


def test_one_parameter_makes_no_map() -> None:
    with pytest.raises(UsageError, match="needs two swept parameters"):
        build_heat((FAST, Axis("s", "slow", ("5",), False)), [], "sharpe", [])


@pytest.mark.parametrize(
    ("metric", "values", "told"),
    [
        ("sharpe", ("1.2345", "2.5"), ["1.2", "2.5"]),
        ("sharpe", ("1.2345", "1.2356"), ["1.2345", "1.2356"]),
        ("sharpe", ("-0.00001", "300"), ["0", "300"]),
        ("sharpe", ("5", "5"), ["5.0", "5.0"]),
        ("total_return", ("0.0123", "0.0456"), ["1.2", "4.6"]),
    ],
)
def test_means_have_as_many_digits_as_tell_them_apart(
    metric: str, values: tuple[str, str], told: list[str]
) -> None:
    rows: list[TrialRow] = []
    for trial, (fast, value) in enumerate(zip(FAST.values, values, strict=True)):
        metrics = tuple(value if known.name == metric else None for known in METRICS)
        rows.append(TrialRow(trial, (fast, "5"), "done", "", metrics))
    heat = build_heat((FAST, SLOW), rows, metric, ["fast", "slow"])
    assert [heat.told(cell) for cell in heat.cells[0]] == told
    assert heat.told(None) == "."


def test_colours_go_from_dark_to_light() -> None:
    assert [hexed(colour(place)) for place in (0.0, 0.5, 1.0)] == ["#440154", "#21918c", "#fde725"]
    assert colour(-1.0) == colour(0.0)
    assert colour(2.0) == colour(1.0)
    assert [is_light(colour(place)) for place in (0.0, 1.0)] == [False, True]


def test_the_picture_is_well_formed_and_holds_every_mean() -> None:
    odd = Axis("<&>", 'a"b', ("2", "3"), False)
    rows = [row(n, (fast, slow), str(n)) for n, (fast, slow) in enumerate([("2", "5"), ("3", "9")])]
    picture = ET.fromstring(svg(build_heat((odd, SLOW), rows, "sharpe", ['a"b', "slow"])))
    titles = [node.text for node in picture.iter() if node.tag.endswith("title")]
    assert titles == ['slow 5, a"b 2: 0', 'slow 9, a"b 3: 1']


def test_a_map_of_too_many_cells_is_not_drawn() -> None:
    wide = Axis("s", "fast", tuple(map(str, range(201))), False)
    with pytest.raises(UsageError, match=r"201 x 3 cells cannot be drawn"):
        svg(build_heat((wide, SLOW), [], "sharpe", ["fast", "slow"]))
    few = Axis("s", "fast", tuple(map(str, range(200))), False)
    assert "<svg" in svg(build_heat((few, SLOW), [], "sharpe", ["fast", "slow"]))
