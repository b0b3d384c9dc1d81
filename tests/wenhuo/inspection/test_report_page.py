"""The data report in a real browser: findings, pictures and Chinese texts, and no request but for the page itself."""

import pytest

from tests.wenhuo.inspection.test_inspect import write_source
from tests.wenhuo.pages.test_pages import CHROMIUM, browser, opened  # noqa: F401 - the browser is a fixture
from wenhuo.inspection.inspect import inspect_source
from wenhuo.reading.options import Options

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return inspect_source(Options(source=str(write_source(folder / "评论"))), folder / "out").page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_drawn_and_asks_for_nothing(report, browser, scheme):  # noqa: F811
    page, asked, complaints = opened(browser, report, color_scheme=scheme, viewport={"width": 1100, "height": 900})
    assert asked == [report.as_uri()]
    assert complaints == []
    assert page.locator(".findings li").count() >= 6
    assert page.locator(".findings .bad").first.bounding_box()["y"] < 900
    headings = page.locator("h2").all_inner_texts()
    assert {"Findings", "What a score is worth", "Labels", "Lengths", "What stands where", "Near-duplicates"} <= set(
        headings
    )
    drawn = [box for rect in page.locator("svg rect.fill").all() if (box := rect.bounding_box())]
    assert len([box for box in drawn if box["width"] > 1 and box["height"] > 1]) >= 10
    assert "好评如潮" in page.locator("#contradictions >> xpath=..").inner_text()
    page.close()


def test_links_lead_to_sections_that_are_there(report, browser):  # noqa: F811
    page, _, _ = opened(browser, report)
    anchors = {link.get_attribute("href") for link in page.locator(".findings a").all()}
    assert anchors
    for anchor in anchors:
        assert page.locator(anchor).count() == 1, anchor
    page.close()


def test_nothing_overflows_a_narrow_screen(report, browser):  # noqa: F811
    page, _, _ = opened(browser, report, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
