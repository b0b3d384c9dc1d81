"""The cards that register makes on real models and a real store, and `wenhuo card`, which makes them again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.judged import NAME, judged_project, judged_template, run  # noqa: F401 - fixtures
from wenhuo.cards.command import card
from wenhuo.errors import ModelError
from wenhuo.files import write_json
from wenhuo.gate.options import Floors
from wenhuo.tracking import promotion, registry, store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def as_the_graph_lays_it_out(project):
    """The files of the small project under the names that dvc.yaml gives them."""
    Path("data").mkdir()
    Path("data/split").symlink_to("../parts")
    Path("reports/metrics.json").symlink_to("../metrics.json")


def shown(number: int) -> tuple[str, dict[str, str], dict[str, str]]:
    """What MLflow shows of a version: its description, its tags, and the cards among its run's artifacts."""
    client = store.connect()
    version = client.get_model_version(NAME, str(number))
    paths = [file.path for file in client.list_artifacts(version.run_id, "card")]
    files = {Path(path).name: Path(client.download_artifacts(version.run_id, path)) for path in paths}
    return version.description, dict(version.tags), {name: path.read_text("utf-8") for name, path in files.items()}


def test_champion_and_challenger_have_cards_in_the_project_and_in_mlflow(project):
    run("fair")
    assert run("bad")["verdict"] == "challenger"
    for number, word in {
        1: "it was made champion: it is the first champion",
        2: "registered and not made champion",
    }.items():
        description, tags, files = shown(number)
        assert files.keys() == {f"{NAME}-{number}.md", f"{NAME}-{number}.html"}
        assert {name: Path("reports/cards", name).read_text("utf-8") for name in files} == files
        assert word in description
        assert word in files[f"{NAME}-{number}.md"]
        assert word in files[f"{NAME}-{number}.html"]
        assert tags["wenhuo.card"]
    text = Path(f"reports/cards/{NAME}-2.md").read_text("utf-8")
    assert "The champion then was version 1, the candidate `fair`" in text
    assert "the champion of the time" in text, "with the figures of both on the same rows"


def test_what_is_refused_has_no_card(project):
    write_json(Path("reports/validation.json"), {"errors": 2, "warnings": 0})
    assert run("good")["verdict"] == "refused"
    assert not Path("reports/cards").exists()


def test_the_same_again_changes_nothing_and_a_promotion_leaves_the_card_true(project):
    run("fair")
    before = shown(1), Path(f"reports/cards/{NAME}-1.html").read_bytes()
    run("fair")
    assert (shown(1), Path(f"reports/cards/{NAME}-1.html").read_bytes()) == before
    run("good")
    back = promotion.Ruling("rolled back", "back", registry.version_numbered(project, NAME, 1), 2, by="Li", why="slow")
    promotion.settle(project, Path("reports"), NAME, back)
    for number in (1, 2):
        description = shown(number)[0]
        assert "it was made champion" in description, "which is what the gate decided then"
        assert "wenhuo history" in description


def test_a_version_that_is_judged_again_gets_the_new_verdict(project):
    assert "below its floor" in run("bad", floors=Floors(class_f1=0.9))["reason"]
    assert "below its floor" in shown(1)[0]
    run("bad")
    assert "below its floor" not in shown(1)[0]
    assert "it was made champion" in shown(1)[0]


def test_a_card_that_cannot_be_made_stops_nothing(project, capsys):
    run("fair")
    Path("reports/metrics.json").unlink()
    assert run("good")["verdict"] == "promoted"
    said = capsys.readouterr().out
    assert "warning: version 2 has no card yet: the figures or the files of good are gone" in said
    assert "wenhuo.card" not in shown(2)[1]
    Path("reports/metrics.json").symlink_to("../metrics.json")
    run("good")
    assert "wenhuo.card" in shown(2)[1], "the next run makes it"


def test_the_command_makes_it_again(project, capsys, tmp_path):
    run("fair")
    before = Path(f"reports/cards/{NAME}-1.md").read_bytes()
    Path(f"reports/cards/{NAME}-1.md").unlink()
    card(Path(), None, NAME, tmp_path / "card.html", machine=False)
    said = capsys.readouterr().out
    assert f"card: reports/cards/{NAME}-1.md" in said
    assert Path(f"reports/cards/{NAME}-1.md").read_bytes() == before
    assert (tmp_path / "card.html").read_text("utf-8").startswith("<!doctype html>")
    card(Path(), 1, NAME, None, machine=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["version"], told["candidate"]) == (NAME, 1, "fair")
    assert {"purpose", "gate", "limits", "load"} <= {part["anchor"] for part in told["parts"]}
    with pytest.raises(ModelError, match="has no version 7"):
        card(Path(), 7, NAME, None, machine=False)


def test_a_changed_word_changes_the_card_everywhere(project):
    run("fair")
    Path("params.yaml").write_text("register: {card: {purpose: 只给酒店评论}}\n", encoding="utf-8")
    card(Path(), 1, NAME, None, machine=False)
    description, _, files = shown(1)
    assert all("只给酒店评论" in text for text in (description, *files.values()))


@pytest.mark.slow
def test_the_three_ways_of_loading_work_as_they_stand(project):
    run("good")
    text = Path(f"reports/cards/{NAME}-1.md").read_text("utf-8").split("## How to load it")[1].split("\n## ")[0]
    codes = re.findall(r"```(\w+)\n(.*?)\n```", text, re.S)
    assert [language for language, _ in codes] == ["sh", "python", "python"]
    programs = Path(sys.executable).parent
    known = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    known["MLFLOW_TRACKING_URI"] = f"sqlite:///{Path('mlruns/mlflow.db').resolve()}"
    labels = ("negative", "neutral", "positive")
    for language, code in codes:
        command = ["bash", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        done = subprocess.run(command, env=known, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert any(label in done.stdout for label in labels), done.stdout
