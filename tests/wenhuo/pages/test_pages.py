"""The pages in a real browser, from the disk: pictures are drawn, Chinese is rendered, and nothing is requested."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wenhuo.validation.test_drift import PLAIN, ROWS, history_of, validated
from wenhuo.metrics.fonts import chinese_font
from wenhuo.validation.drift_page import render_drift
from wenhuo.validation.limits import Drift
from wenhuo.validation.report import render_report
from wenhuo.validation.succession import follow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
SMALLEST = 40  # pixels of a picture that can be read, at least in one direction


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both pages of a corpus with copies, two sources and Chinese labels, after another version of it."""
    folder = tmp_path_factory.mktemp("pages")
    names = {"a": "正面评价", "b": "负面评价"}
    rows = [row | {"label": names[row["label"]], "source": ("网店", "论坛")[n % 2]} for n, row in enumerate(ROWS)]
    now = validated(folder / "now", [*rows, *rows[:9], rows[0] | {"text": "鑫<b>"}])
    drift = follow(now, Drift(), PLAIN, history_of(validated(folder / "before", rows[:90])))
    (folder / "validation.html").write_text(render_report(now.summary), encoding="utf-8")
    (folder / "drift.html").write_text(render_drift(drift), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)


@pytest.fixture(params=["validation", "drift"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(browser: Any, path: Path, **settings: Any) -> tuple[Any, list[str], list[str]]:
    """A page, the addresses that it asked for and what the browser complained of."""
    page = browser.new_page(**settings)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri(), wait_until="networkidle")
    return page, asked, complaints


def test_no_request_is_made_but_for_the_page_itself(browser: Any, pages: Path, name: str) -> None:
    path = pages / f"{name}.html"
    _, asked, complaints = opened(browser, path)
    assert asked == [path.as_uri()]
    assert complaints == []


def test_every_picture_is_drawn(browser: Any, pages: Path, name: str) -> None:
    page, _, _ = opened(browser, pages / f"{name}.html", viewport={"width": 1200, "height": 900})
    pictures = page.locator("svg[role=img]").all()
    assert len(pictures) > 6
    for picture in pictures:
        box = picture.bounding_box()
        assert max(box["width"], box["height"]) > SMALLEST, picture.get_attribute("aria-label")
        marks = [mark.bounding_box() for mark in picture.locator("rect, polyline, circle").all()]
        drawn = [mark for mark in marks if mark and mark["width"] > 0 and mark["height"] > 0]
        assert drawn, picture.get_attribute("aria-label")
        for mark in drawn:
            assert box["x"] - 2 <= mark["x"]
            assert mark["x"] + mark["width"] <= box["x"] + box["width"] + 2


def test_bars_are_as_long_as_their_shares(browser: Any, pages: Path) -> None:
    page, _, _ = opened(browser, pages / "validation.html")
    whole, part = (
        page.locator(f"#labels ~ .scroll svg.bar rect.{kind}").first.bounding_box() for kind in ("track", "fill")
    )
    assert part["width"] / whole["width"] == pytest.approx(0.5, abs=0.02)


def test_chinese_is_rendered(browser: Any, pages: Path, name: str) -> None:
    page, _, _ = opened(browser, pages / f"{name}.html")
    for label in ("正面评价", "负面评价", "网店"):
        box = page.get_by_text(label, exact=True).first.bounding_box()
        assert box["width"] > 12 * len(label)
    assert glyphs_differ(page)


def glyphs_differ(page: Any) -> bool:
    """Whether two ideographs look different, which the boxes of a missing font do not; it needs a font that has any."""
    if chinese_font() is None:
        pytest.skip("no font with Chinese characters on this machine")
    script = """() => ['好', '差'].map(text => {
      const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
      pen.font = '40px ' + getComputedStyle(document.body).fontFamily; pen.fillText(text, 5, 60);
      return canvas.toDataURL();
    })"""
    first, second = page.evaluate(script)
    return bool(first != second)


@pytest.mark.parametrize("settings", [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"viewport": {"width": 400, "height": 800}},
])  # fmt: skip
def test_nothing_hangs_over_the_edge_and_words_stand_out(browser: Any, pages: Path, name: str, settings: Any) -> None:
    page, _, _ = opened(browser, pages / f"{name}.html", **settings)
    wide, seen = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= seen
    for chosen in ("body", "svg text", ".quiet"):
        assert contrast(page, chosen) >= 4.5, chosen


def contrast(page: Any, chosen: str) -> float:
    """The WCAG 2 contrast of an element's words with the page."""
    script = """chosen => {
      const one = getComputedStyle(document.querySelector(chosen)), body = getComputedStyle(document.body);
      const colors = [chosen.startsWith('svg') ? one.fill : one.color, body.backgroundColor];
      return colors.map(color => color.match(/[0-9.]+/g).slice(0, 3).map(Number));
    }"""
    lights = sorted(luminance(color) for color in page.evaluate(script, chosen))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(color: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_page_prints(browser: Any, pages: Path, name: str) -> None:
    page, _, _ = opened(browser, pages / f"{name}.html")
    assert page.pdf(format="A4").startswith(b"%PDF")
