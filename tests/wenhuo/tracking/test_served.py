"""The model behind MLflow's interface: the columns that come out, and no label where it abstains."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from wenhuo.files import read_json, write_json
from wenhuo.tracking import registry
from wenhuo.tracking.registry import library_for, signature
from wenhuo.tracking.served import ServedClassifier


def served(folder):
    model = ServedClassifier()
    model.load_context(SimpleNamespace(artifacts={"model": str(folder)}))
    return model.predict(None, pd.DataFrame({"text": ["房间很干净，推荐", "太贵，失望", ""]}))


def test_a_model_that_abstains_gives_no_label_over_mlflow_either(linear_model, tmp_path):
    plain = served(linear_model)
    assert plain["label"].tolist() == plain["best"].tolist()
    assert {column.name for column in signature().outputs} <= set(plain.columns)
    shutil.copytree(linear_model, tmp_path / "model")
    between = float(plain["probability"].sort_values().iloc[:2].mean())
    write_json(tmp_path / "model/wenhuo.json", read_json(linear_model / "wenhuo.json") | {"abstain_below": between})
    found = served(tmp_path / "model")
    assert found["label"].isna().tolist() == (plain["probability"] < between).tolist()
    assert found["label"].isna().sum() == 1
    assert found["best"].tolist() == plain["best"].tolist()
    assert '"label":null' in found.to_json(orient="records")


def test_backbones_that_ship_go_only_with_a_model_that_has_no_weights_of_its_own(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    plain = library_for(folder, tmp_path / "plain")
    assert (plain / "tracking" / "served.py").read_bytes() == Path(registry.__file__).with_name(
        "served.py"
    ).read_bytes()
    assert (plain / "backbones").is_dir()
    assert not list(plain.rglob("*.safetensors"))
    assert not list(plain.rglob("__pycache__"))
    write_json(folder / "backbone.json", {"name": "builtin:wenhuo-mini", "commit": None, "sha256": {}})
    whole = library_for(folder, tmp_path / "whole")
    assert (whole / "backbones/wenhuo-mini/model.safetensors").exists()
    (tmp_path / "blend/members").mkdir(parents=True)
    shutil.move(folder, tmp_path / "blend/members/mini")
    of_member = library_for(tmp_path / "blend", tmp_path / "of-member")
    assert (of_member / "backbones/wenhuo-mini/model.safetensors").exists()
