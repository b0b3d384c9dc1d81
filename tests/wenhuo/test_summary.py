"""What the last run made, told from its reports alone."""

import pytest

from wenhuo.errors import DataError
from wenhuo.files import read_json, write_json
from wenhuo.gate import decisions
from wenhuo.lineage import Identity
from wenhuo.summary import print_summary

FIGURES = {"macro_f1": 0.9, "accuracy": 0.91, "intervals": {"macro_f1": [0.88, 0.92]}}


@pytest.fixture
def project(tmp_path):
    splits = {"train": 8, "validation": 1, "test": 1}
    reports = {
        "ingest": {"rows": splits, "rejected": {}},
        "validation": {"errors": 0, "warnings": 1, "expectations": [1, 2]},
        "clean": {"rows": {"out": splits}, "removed": {"repeats": {"train": 3}}},
        "split": {},
        "audit": {"suspects": {"flagged": {"train": 2}, "reason": None}},
        "metrics": {
            "source": "评论",
            "synthetic": False,
            "rows": splits,
            "winner": "mini",
            "candidates": {name: {"validation": FIGURES, "test": FIGURES} for name in ("linear", "mini", "old")},
            "parameters": {
                "linear": {"all": 4_000, "trained": 4_000},
                "mini": {"all": 102_267_648, "trained": 1_345_538},
                "old": None,
            },
        },
        "registration": {"model": "wenhuo-评论", "version": 1, "reason": "it is the first champion"},
    }
    for name, value in reports.items():
        write_json(tmp_path / f"reports/{name}.json", value)
    return tmp_path


def test_it_says_how_many_parameters_each_candidate_trains_and_where_the_page_is(project, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    print_summary(project)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "candidate trains of parameters" in lines
    assert "linear 4,000 4,000 100.00%" in lines
    assert "mini 1,345,538 102,267,648 1.32%" in lines
    assert "old - -" in lines
    assert any("reports/candidates.html" in line for line in lines)
    assert any(line.startswith("mini 0.9000 0.880-0.920") and line.endswith("winner") for line in lines)


def test_figures_of_an_earlier_version_are_told(project, capsys):
    path = project / "reports/metrics.json"
    write_json(path, {name: value for name, value in read_json(path).items() if name != "parameters"})
    print_summary(project)
    assert "linear" in capsys.readouterr().out


def told(project, capsys):
    print_summary(project)
    said = " ".join(capsys.readouterr().out.split())
    return said[said.index("registered") : said.index("open")].strip()


def test_a_winner_that_was_brought_back_is_told_of_by_its_own_decision(project, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    about = {"model": "wenhuo-评论", "candidate": "mini", "champion": 1}
    decisions.append(project / "reports", {**about, "verdict": "promoted", "reason": "it is better", "key": "1" * 64})
    later = {"model": "wenhuo-others", "version": 7, "verdict": "challenger", "reason": "it is worse", "key": "2" * 64}
    write_json(project / "reports/registration.json", later)
    keys = {"train@mini": "2" * 64}
    monkeypatch.setattr("wenhuo.lineage.identify_made", lambda stage, root: Identity(stage, keys[stage]))
    assert told(project, capsys) == "registered wenhuo-others version 7: challenger; it is worse"
    keys["train@mini"] = "1" * 64
    assert told(project, capsys).startswith("registered wenhuo-评论 version -: promoted; it is better (decided 20")
    keys["train@mini"] = "3" * 64
    assert "unknown; what the registry made of it is not known here" in told(project, capsys)


def test_a_graph_that_has_not_run_to_its_end_is_a_clear_error(project):
    (project / "reports/metrics.json").unlink()
    with pytest.raises(DataError, match=r"metrics\.json is missing"):
        print_summary(project)
