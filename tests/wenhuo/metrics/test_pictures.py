import csv
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from wenhuo.metrics import fonts
from wenhuo.metrics.classification import measure
from wenhuo.metrics.report import Result, write_report
from wenhuo.settings import read_yaml
from wenhuo.training.history import Point

ROOT = Path(__file__).resolve().parents[3]
PICTURES = {"comparison.png", "roc.png", "pr.png", "linear/confusion.png", "linear/reliability.png"}
HISTORY = [Point(step, step / 10, "train/loss", 1 / step) for step in range(1, 30)]


def sampled(rows, classes, seed):
    generator = np.random.default_rng(seed)
    truth = np.random.default_rng(0).integers(classes, size=rows)
    probabilities = generator.dirichlet(np.ones(classes), size=rows)
    probabilities[np.arange(rows), truth] += 0.4
    return truth, probabilities / probabilities.sum(1, keepdims=True)


def written(folder, labels, rows=60):
    results = {}
    for seed, name in enumerate(("linear", "mini")):
        truth, probabilities = sampled(rows, len(labels), seed)
        measured = measure(truth, probabilities, labels, bootstrap=100, seed=1)
        results[name] = Result(probabilities, {"validation": measured, "test": measured}, HISTORY if seed else [])
    write_report(folder, results, truth, labels, "mini", "数据 (synthetic)")
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def test_equal_results_give_equal_bytes_without_a_date_or_a_program(tmp_path):
    first, second = written(tmp_path / "a", ["坏", "好"]), written(tmp_path / "b", ["坏", "好"])
    assert first == second
    assert set(first) >= PICTURES | {"mini/learning.png", "learning.csv"}
    assert "linear/learning.png" not in first  # it has no course to show
    assert not any(b"tEXt" in content or b"tIME" in content for name, content in first.items() if name.endswith("png"))


@pytest.mark.parametrize(
    "labels",
    [
        ["$a_{", "=SUM(A1)", "_x", "a very long name of a class", "两\n行", "🙂"],
        [f"第{number}类:很长的名称" for number in range(50)],
        ["only"],
    ],
)
def test_any_names_are_drawn_without_a_warning(tmp_path, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "linear/confusion.png" in written(tmp_path / "plots", labels)


def test_the_readers_own_matplotlib_settings_change_nothing(tmp_path):
    plain = written(tmp_path / "a", ["a", "b"])
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert written(tmp_path / "b", ["a", "b"]) == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_no_rows_still_give_a_report(tmp_path):
    assert "linear/confusion.png" in written(tmp_path / "plots", ["a", "b"], rows=0)


def test_without_a_chinese_font_classes_are_numbered(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "chinese_font", lambda: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every missing glyph
        files = written(tmp_path / "plots", ["财经", "体育", "好"])
    assert fonts.readable(["财经", "good"]) == ["1", "2"]
    assert fonts.spelled("财经 a\nb") == "?? a\nb"
    assert files["labels.csv"].decode() == "number,label\n1,财经\n2,体育\n3,好\n"


def test_names_are_shortened_and_stay_apart(monkeypatch):
    monkeypatch.setattr(fonts, "drawable", lambda names: True)
    assert fonts.readable(["x" * 30, "x" * 31, "好"]) == [f"{'x' * 17}… (1)", f"{'x' * 17}… (2)", "好"]
    assert fonts.width(fonts.shortened("很" * 30)) <= fonts.LONGEST


def test_the_data_say_what_the_pictures_show(tmp_path):
    written(tmp_path, ["a", "b", "c"], rows=90)
    with (tmp_path / "confusion.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    assert sum(int(cell["rows"]) for cell in cells if cell["candidate"] == "linear") == 90
    with (tmp_path / "roc.csv").open(newline="") as file:
        assert {row["curve"] for row in csv.DictReader(file)} == {"macro average", "micro average", "a", "b", "c"}


def test_dvc_draws_the_data_of_two_revisions(tmp_path):
    written(tmp_path / "reports/plots", ["a", "b"])
    templates = shutil.copytree(ROOT / "wenhuo/metrics/templates", tmp_path / "wenhuo/metrics/templates")
    plots = read_yaml(ROOT / "dvc.yaml")["plots"]
    (tmp_path / "dvc.yaml").write_text(json.dumps({"plots": plots}))
    _run(tmp_path, "git", "init", "-q")
    _run(tmp_path, sys.executable, "-m", "dvc", "init", "-q")
    _run(tmp_path, "git", "add", ".")
    _run(tmp_path, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a")
    with (tmp_path / "reports/plots/confusion.csv").open("a") as file:
        file.write("mini,a,b,7\n")
    said = _run(tmp_path, sys.executable, "-m", "dvc", "plots", "diff", "HEAD", "-o", "page")
    page = (tmp_path / "page/index.html").read_text()
    assert not said.stderr.strip()
    assert page.count("vegaEmbed(") == len(list(templates.iterdir())) + 1 == 5  # two curves share a template
    assert "workspace_reports_plots_comparison.png" in page
    assert "<DVC_METRIC" not in page


def _run(folder, *command):
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
