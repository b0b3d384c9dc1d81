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
    assert glyphs_differ(seen)
    for picture in seen.locator("svg[role=img]").all():
        box = picture.bounding_box()
        assert max(box["width"], box["height"]) > 40
        for mark in filter(None, (mark.bounding_box() for mark in picture.locator("rect, polyline, circle").all())):
            assert box["x"] - 2 <= mark["x"]
            assert mark["x"] + mark["width"] <= box["x"] + box["width"] + 2
            assert mark["y"] + mark["height"] <= box["y"] + box["height"] + 2
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
