"""Cards on a project whose graph ran: with the figures of its metrics.json, and there again after a restore."""

from pathlib import Path

import pytest

from tests.graph.conftest import python
from tests.graph.test_restore import copied, empty, looked_into, md5_of, wenhuo  # noqa: F401 - a fixture among them
from tests.wenhuo.cards.reading import markdown_tables, page_figures, shows, value_at
from wenhuo.cards.measured import ORDER
from wenhuo.files import read_json
from wenhuo.metrics.classification import FIGURES
from wenhuo.tracking import store
from wenhuo.tracking.views import every_version

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def card_of(project: Path) -> dict[str, str]:
    """The files of its one card, by how their names end."""
    return {path.suffix: path.read_text("utf-8") for path in (project / "reports/cards").iterdir()}


def shown(project: Path) -> tuple[str, str, dict[str, str]]:
    """What MLflow shows of the one version's card: its description, the tag, the files' hashes."""
    place = looked_into(project)
    client = store.connect(place)
    (one,) = every_version(place)
    description = client.get_model_version(one["name"], str(one["number"])).description
    files = [file.path for file in client.list_artifacts(one["run"], "card")]
    hashes = {path: md5_of(Path(client.download_artifacts(one["run"], path))) for path in files}
    return description, one["tags"]["wenhuo.card"], hashes


def test_its_figures_are_those_of_metrics_json(made):
    metrics, card = read_json(made[0] / "reports/metrics.json"), card_of(made[0])
    found = page_figures(card[".html"])
    for one in found:
        value = value_at(metrics, one["data-figure"])
        ends = [float(one[name]) for name in ("data-low", "data-high") if name in one]
        assert shows(one["text"], value, ends), one
    winner = metrics["winner"]
    there = {one["data-figure"] for one in found}
    tables = markdown_tables(card[".md"])["Figures"]
    for split, (_, rows) in zip(ORDER, tables, strict=False):
        for name, row in zip(FIGURES, rows, strict=True):
            measure = metrics["candidates"][winner][split]
            assert shows(row[winner], measure[name], measure["intervals"].get(name)), (split, name)
            assert f"candidates/{winner}/{split}/{name}" in there
    for part in ("slices", "error_kinds", "calibration"):
        assert any(path.startswith(f"{part}/{winner}/") for path in there) == bool(metrics[part][winner]), part
    assert any(path.startswith(f"robustness/candidates/{winner}/") for path in there)


def test_it_tells_nothing_of_the_machine(made):
    for text in (*card_of(made[0]).values(), shown(made[0])[0]):
        assert str(made[0].parent) not in text
        assert "评论 reviews" in text


def test_a_restored_version_has_its_card_again(made, copied):  # noqa: F811
    before, files = shown(made[0]), card_of(made[0])
    for path in (copied / "reports/cards").iterdir():
        path.unlink()
    assert "card" not in wenhuo(empty(copied), "restore"), "it comes with its version"
    assert shown(copied) == before
    assert card_of(copied) == files
    assert "0 added" in wenhuo(copied, "restore")
    assert "as before" in wenhuo(copied, "card")
    assert card_of(copied) == files


def test_a_version_that_lost_its_card_gets_it_unless_its_figures_are_gone(copied):  # noqa: F811
    wenhuo(empty(copied), "restore")
    before = shown(copied)
    without_card(copied)
    assert "restore: card of version 1 of " in wenhuo(copied, "restore")
    assert shown(copied) == before
    without_card(copied)
    metrics = copied / "reports/metrics.json"
    md5 = md5_of(metrics)
    metrics.unlink()
    (copied / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    assert "lost: card of version 1 of " in wenhuo(copied, "restore")
    assert "figures or the files" in wenhuo(copied, "card", expect=1)


def without_card(project: Path) -> None:
    """Take the tag away, as a version of an earlier release lacks it."""
    script = (
        "from pathlib import Path; from wenhuo.tracking import store, views; c = store.connect(); "
        "(v,) = views.every_version(Path()); "
        "c.delete_model_version_tag(v['name'], str(v['number']), 'wenhuo.card')"
    )
    python(project, "-c", script)
