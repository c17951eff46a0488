"""The page of a back-test, as Chromium sees it: quiet, alone, and equal to the JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.cli.demo_files import config_files
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

from .chromium import Browser, browser

# Wide enough for each figure, its place and what is seen of it.
FIGURES = (
    "[...document.querySelectorAll('[data-k]')]"
    ".map(e => [e.dataset.k, e.dataset.v, e.innerText.trim()])"
)
UNSEEN = (
    "[...document.querySelectorAll('main *')].filter(e => {"
    "const r = e.getBoundingClientRect();"
    "return r.width > 0 && r.right > innerWidth + 1 && !e.closest('.scroll') && !e.closest('svg')})"
    ".map(e => e.outerHTML.slice(0, 80))"
)
# Contrast of every text with what lies behind it, by WCAG's formula.
PALE = """(() => {
  const part = c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4 };
  const light = c => .2126 * part(c[0]) + .7152 * part(c[1]) + .0722 * part(c[2]);
  const nums = s => s.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = nums(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255] };
  return [...document.querySelectorAll('h1,h2,p,li,th,td,span,b,dt,dd,figcaption,code')]
    .filter(e => e.innerText && e.innerText.trim()).map(e => {
      const a = light(nums(getComputedStyle(e).color)), b = light(behind(e));
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.innerText.slice(0, 40)] })
    .filter(row => row[0] < 4.5) })()"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `page.html` and `report.json` of one run."""
    folder = tmp_path_factory.mktemp("page")
    bars = write_made_bars(folder, minutes=2_400, instruments=DEMO_INSTRUMENTS[:2])
    for name, text in config_files('""', ["BTC/USDT"]).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("testnet", "paper"), encoding="utf-8")
    words = [word for path in bars for word in ("--bars", path.name)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRADER_")}
    done = subprocess.run(
        [sys.executable, "-m", "trader", "backtest", *words, "--buy-and-hold", "--json", "--html",
         "page.html"],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "report.json").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for every test of the module."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def at(report: Any, key: str) -> Any:
    """What stands at a dotted place of the JSON."""
    found = report
    for name in key.split("."):
        found = found[int(name) if name.isdigit() else name]
    return found


def rounded(number: Decimal, digits: int) -> str:
    shown = f"{number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN):,f}"
    return shown.removeprefix("-") if not number.quantize(Decimal(1).scaleb(-digits)) else shown


def ways(value: Any) -> set[str]:
    """How a figure of the JSON may be written for people."""
    if value is None:
        return {"-"}
    number = Decimal(str(value))
    said = {str(value), f"{number:,f}", rounded(number, 2)}
    said.add(f"{rounded(number * 100, 2).replace(',', '')} %")
    return said | {rounded(number * 100, 1)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_quiet_alone_and_fits(
    made: Path, chrome: Browser, width: int, scheme: str
) -> None:
    page = made / "page.html"
    chrome.open(page, width, scheme)
    assert chrome.complaints() == []
    assert chrome.requests() == [page.as_uri()]
    assert chrome.ask("document.documentElement.scrollWidth") == width
    assert chrome.ask(UNSEEN) == []
    assert chrome.ask(PALE) == []
    charts = chrome.ask("document.querySelectorAll('svg[role=img] title').length")
    assert charts == chrome.ask("document.querySelectorAll('figure').length") >= 6


def test_every_figure_of_the_page_is_that_of_the_json(made: Path, chrome: Browser) -> None:
    chrome.open(made / "page.html", 1280, "light")
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    figures = chrome.ask(FIGURES)
    keys = {key for key, _, _ in figures}
    assert {"account.final_equity", "metrics.max_drawdown", "costs.runs.0.final_equity"} <= keys
    assert {f"refusals.{code}" for code in report["refusals"]} <= keys
    for key, exact, seen in figures:
        value = at(report, key)
        assert exact == ("" if value is None else str(value)), key
        assert seen in ways(value), f"{key}: {value} is written {seen}"


def test_the_curve_on_the_page_ends_where_the_run_ended(made: Path, chrome: Browser) -> None:
    """The last point of the equity curve, in pixels, against the axis' own labels."""
    chrome.open(made / "page.html", 1280, "light")
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    end = chrome.ask(
        "(() => { const p = document.querySelector('#chart-equity path.line.equity');"
        "return p.getPointAtLength(p.getTotalLength()).y / 4000 })()"
    )
    labels = chrome.ask(
        "[...document.querySelectorAll('#chart-equity .axis.y span')]"
        ".map(e => [parseFloat(e.style.top) / 100, parseFloat(e.innerText.replace(/,/g, ''))])"
    )
    (low_at, low), (high_at, high) = labels[0], labels[-1]
    told = low + (end - low_at) / (high_at - low_at) * (high - low)
    wanted = float(report["account"]["final_equity"])
    assert abs(told - wanted) < (high - low) / 200


def test_equal_inputs_give_equal_pages(made: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRADER_")}
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-m", "trader", "backtest", "show", report["manifest"]["id"], "--html",
         "again.html"],
        cwd=made, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (made / "again.html").read_bytes() == (made / "page.html").read_bytes()


def test_no_word_of_the_page_can_be_taken_for_markup() -> None:
    from trader.app.report_html import plain, told

    assert told("a.<b>", '"><script>', plain) == (
        '<td data-k="a.&lt;b&gt;" data-v="&quot;&gt;&lt;script&gt;">&quot;&gt;&lt;script&gt;</td>'
    )
