"""Models as people name them: candidates, folders, versions, the champion, runs."""

import shutil

import pytest

from wenhuo import lineage
from wenhuo.errors import GraphError, ModelError
from wenhuo.files import write_json
from wenhuo.lineage import PREFIX, Identity
from wenhuo.references import find
from wenhuo.tracking import store

KEY = "k" * 64


@pytest.fixture(scope="module")
def made(linear_model, tmp_path_factory):
    """A project with the candidate ``linear``, versions 1 and 2 (the champion) of ``wenhuo-made``, and their runs."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(linear_model, folder / "models/linear")
    write_json(folder / "reports/winner.json", {"registered_model": "wenhuo-made"})
    with pytest.MonkeyPatch.context() as place:
        place.delenv("MLFLOW_TRACKING_URI", raising=False)
        client = store.connect(folder)
    client.create_registered_model("wenhuo-made")
    for number in (1, 2):
        kept = folder / f"kept{number}"
        shutil.copytree(linear_model, kept / "artifacts/model")
        run = client.create_run(store.experiment_id(client)).info.run_id
        client.create_model_version("wenhuo-made", kept.as_uri(), run)
    client.set_registered_model_alias("wenhuo-made", "champion", "2")
    return folder, client


@pytest.fixture
def project(made, monkeypatch):
    monkeypatch.chdir(made[0])
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return made[1]


@pytest.mark.parametrize("reference", ["linear", "models/linear"])
def test_candidates_and_folders(project, reference):
    found = find(reference)
    assert (found.name, str(found.folder)) == (reference, "models/linear")


@pytest.mark.parametrize("reference, name, folder", [
    (None, "wenhuo-made@champion", "kept2"),
    ("champion", "wenhuo-made@champion", "kept2"),
    ("wenhuo-made@champion", "wenhuo-made@champion", "kept2"),
    ("1", "wenhuo-made/1", "kept1"),
    ("wenhuo-made/1", "wenhuo-made/1", "kept1"),
    ("models:/wenhuo-made/2", "wenhuo-made/2", "kept2"),
])  # fmt: skip
def test_versions(project, reference, name, folder):
    found = find(reference)
    assert found.name == name and (found.folder / "wenhuo.json").exists()
    assert folder in str(found.folder)


def test_a_run_leads_to_the_version_that_was_made_of_it(project):
    run = project.get_model_version("wenhuo-made", "1").run_id
    for reference in (run, f"runs:/{run}"):
        assert "kept1" in str(find(reference).folder)
        assert find(reference).name == f"run {run[:8]}"


def test_a_run_without_a_version_leads_to_the_candidate_that_still_lies_here(project, monkeypatch):
    run = project.create_run(store.experiment_id(project), tags={f"{PREFIX}stage_key": KEY}).info.run_id
    monkeypatch.setattr(lineage, "identify_made", lambda stage: Identity(stage, KEY))
    assert str(find(run).folder) == "models/linear"

    def gone(stage):
        raise GraphError("no entry")

    monkeypatch.setattr(lineage, "identify_made", gone)
    with pytest.raises(ModelError, match=f"the model of run {run} is gone"):
        find(run)


@pytest.mark.parametrize("reference, said", [
    ("nothing", "no model nothing"),
    ("wenhuo-made/7", "cannot be fetched"),
    ("0" * 32, "no run 0000"),
    ("../../etc", "no model ../../etc"),
])  # fmt: skip
def test_what_there_is_not_is_said_in_a_line(project, reference, said):
    with pytest.raises(ModelError, match=said):
        find(reference)
