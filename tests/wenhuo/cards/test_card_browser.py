"""The card in a real browser, from the disk: pictures are drawn, Chinese is rendered, nothing is requested."""

import pytest

from tests.wenhuo.cards.conftest import material_of
from tests.wenhuo.pages.test_pages import CHROMIUM, browser, contrast, glyphs_differ, opened  # noqa: F401 - a fixture
from wenhuo.cards.page import render_card

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("card") / "card.html"
    path.write_text(render_card(material_of(["差评", "中评", "好评"])), encoding="utf-8")
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
    for chosen in ("body", "svg text", ".quiet", ".loud"):
        assert contrast(seen, chosen) >= 4.5, chosen
    seen.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
    pictures = seen.locator("svg[role=img]").all()
    assert len(pictures) > 8
    for picture in pictures:
        box = picture.bounding_box()
        assert max(box["width"], box["height"]) > 40, picture.get_attribute("aria-label")
        marks = [mark.bounding_box() for mark in picture.locator("rect, polyline, circle").all()]
        assert [mark for mark in marks if mark], picture.get_attribute("aria-label")
        for mark in filter(None, marks):
            assert box["x"] - 9 <= mark["x"]
            assert mark["x"] + mark["width"] <= box["x"] + box["width"] + 9
    assert glyphs_differ(seen)
    seen.close()


def test_every_part_has_its_heading(page, browser):  # noqa: F811
    seen, _, _ = opened(browser, page)
    heads = seen.locator("h2").all_inner_texts()
    assert heads[0] == "What it is for"
    assert {"Figures", "What the gate decided", "Limits", "How to load it", "Data", "Training"} <= set(heads)
    assert {"What is taken for what", "How training went", "Before and after"} <= set(heads)
    assert len(heads) == len(set(heads))
    seen.close()
