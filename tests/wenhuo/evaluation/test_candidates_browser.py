"""The page of candidates in a real browser: pictures and Chinese are drawn, and nothing is requested but the page."""

import pytest

from tests.wenhuo.evaluation.conftest import make
from tests.wenhuo.pages.test_pages import CHROMIUM, browser, contrast, glyphs_differ, opened  # noqa: F401 - a fixture
from wenhuo.evaluation.page import render_candidates

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("candidates") / "candidates.html"
    material = make(["差评", "中评", "好评"], {"linear": 8, "mini": 12, "mini-lora": 20})
    path.write_text(render_candidates(material, shown=20), encoding="utf-8")
    return path


@pytest.mark.parametrize("settings", [
    {"color_scheme": "light", "viewport": {"width": 1180, "height": 900}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}},
])  # fmt: skip
def test_it_is_drawn_on_any_screen_and_asks_for_nothing(page, browser, settings):  # noqa: F811
    seen, asked, complaints = opened(browser, page, **settings)
    assert asked == [page.as_uri()]
    assert complaints == []
    wide, room = seen.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= room
    for chosen in ("body", "svg text", ".quiet", ".said .wrong", ".said .right"):
        assert contrast(seen, chosen) >= 4.5, chosen
    seen.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
    wide, room = seen.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= room
    for picture in seen.locator("svg[role=img]").all():
        box = picture.bounding_box()
        assert max(box["width"], box["height"]) > 40
        for mark in filter(None, (mark.bounding_box() for mark in picture.locator("rect, polyline, circle").all())):
            assert box["x"] - 2 <= mark["x"]
            assert mark["x"] + mark["width"] <= box["x"] + box["width"] + 2
            assert mark["y"] + mark["height"] <= box["y"] + box["height"] + 2
    assert glyphs_differ(seen)
    seen.close()


def test_every_column_of_the_sentences_has_its_head(page, browser):  # noqa: F811
    seen, _, _ = opened(browser, page)
    for table in seen.locator("table.said").all():
        heads = table.locator("thead tr").all()
        assert heads[0].locator("th").all_inner_texts() == ["Text", "Label", "linear", "mini", "mini-lora"]
        assert heads[1].locator("th").all_inner_texts() == ["untrained", "trained"] * 2
        for row in table.locator("tbody tr").all():
            assert row.locator("td").count() == 2 + 1 + 2 * 2
    seen.close()


def test_the_deeper_the_fall_the_deeper_the_colour(page, browser):  # noqa: F811
    seen, _, _ = opened(browser, page)
    lines = seen.locator("table.perturbed tbody tr:not(.further)").all()
    assert [line.locator("th").inner_text() for line in lines] == ["linear", "mini", "mini-lora"]
    for line in lines:
        cells = line.locator("td").all()[1:]
        falls = [-float(cell.locator("span").inner_text().split()[0].replace("−", "-")) for cell in cells]
        shares = [
            float(cell.evaluate("one => one.style.getPropertyValue('--share')").rstrip("%") or 0) for cell in cells
        ]
        assert falls == sorted(falls, reverse=True)
        assert shares == sorted(shares, reverse=True)
        assert shares[0] > shares[-1] > 0
    seen.close()


def test_errors_by_kind_stand_against_the_usual_rate(page, browser):  # noqa: F811
    seen, _, _ = opened(browser, page)
    tables = seen.locator("table.kinds").all()
    assert len(tables) == 3
    for line in tables[0].locator("tbody tr").all():
        level, dot = line.locator("line.axis").bounding_box(), line.locator("circle").bounding_box()
        rate = float(line.locator("td.wide .figure").inner_text().rstrip("%"))
        usual = float(line.locator("svg").get_attribute("aria-label").split()[-1].rstrip("%"))
        if abs(rate - usual) > 1:
            assert (dot["x"] + dot["width"] / 2 > level["x"]) == (rate > usual)
    seen.close()
