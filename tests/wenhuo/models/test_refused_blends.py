"""What a blend's folder may hold: members that fit it, and in them nothing that is refused elsewhere."""

import pickle
import shutil
from pathlib import Path

import pytest

from wenhuo import Classifier
from wenhuo.errors import ModelError
from wenhuo.explaining.explain import explain
from wenhuo.files import read_json, write_json
from wenhuo.models.folder import Card, read_card


@pytest.fixture
def folder(linear_model, tmp_path):
    made = tmp_path / "both"
    for name in ("one", "two"):
        shutil.copytree(linear_model, made / "members" / name)
    kept = read_card(linear_model).model_dump(include={"labels", "cleaning", "trained_on"})
    write_json(made / "wenhuo.json", Card(kind="blend", members={"one": 0.5, "two": 0.5}, **kept).model_dump())
    return made


def told(path: Path, **changes: object) -> None:
    write_json(path / "wenhuo.json", read_json(path / "wenhuo.json") | changes)


def nested(folder: Path) -> None:
    inner = folder / "members/two/members"
    for name in ("one", "two"):
        shutil.copytree(folder / "members/one", inner / name)
    told(folder / "members/two", **{name: read_json(folder / "wenhuo.json")[name] for name in ("kind", "members")})
    told(folder / "members/two", encoder=None)


def linked(folder: Path) -> None:
    shutil.move(folder / "members/two", folder.parent / "two")
    (folder / "members/two").symlink_to(folder.parent / "two")


FAULTS = {
    "a pickle": (lambda f: (f / "members/two/model.pkl").write_bytes(pickle.dumps(1)), "neither weights nor"),
    "code": (lambda f: (f / "members/two/x.py").write_text("1"), "neither weights nor"),
    "a configuration with code": (
        lambda f: (f / "members/two/config.json").write_text('{"auto_map": {"AutoModel": "e.M"}}'),
        "foreign code",
    ),
    "damaged weights": (lambda f: (f / "members/two/linear.safetensors").write_bytes(b"x"), "damaged"),
    "a blend in it": (nested, "a blend's member is no blend"),
    "a link to a folder": (linked, "link to no file"),
    "a member too many": (lambda f: shutil.copytree(f / "members/one", f / "members/three"), "three"),
    "a member that is gone": (lambda f: shutil.rmtree(f / "members/two"), "two"),
    "no card in it": (lambda f: (f / "members/two/wenhuo.json").unlink(), "holds no wenhuo.json"),
    "other labels": (lambda f: told(f / "members/two", labels=["a", "b", "c"]), "does not fit its blend"),
    "other cleaning": (
        lambda f: told(f / "members/two", cleaning={"script": "simplified"}),
        "does not fit its blend",
    ),
    "a name that leads out": (lambda f: told(f, members={"one": 1.0, "../../two": 1.0}), "is no name"),
    "a name that is absolute": (lambda f: told(f, members={"one": 1.0, "/two": 1.0}), "is no name"),
    "a weight below 0": (lambda f: told(f, members={"one": 1.0, "two": -1.0}), "does not fit this version"),
    "a weight of null": (lambda f: told(f, members={"one": 1.0, "two": None}), "does not fit this version"),
    "one member": (lambda f: told(f, members={"one": 1.0}), "two members or more"),
    "no members": (lambda f: told(f, members=None), "two members or more"),
    "an encoder of its own": (lambda f: told(f, encoder={"kind": "ngrams"}), "no encoder of its own"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_folder_with_a_fault_is_refused_and_says_why(folder, fault):
    spoil, why = FAULTS[fault]
    spoil(folder)
    for door in (Classifier.load, read_card, lambda f: explain("好", str(f), label=None, neighbours=0, among=None)):
        with pytest.raises(ModelError, match=why):
            door(folder)


def test_other_kinds_have_an_encoder_and_no_members(linear_model, tmp_path):
    shutil.copytree(linear_model, tmp_path / "linear")
    for changes in ({"encoder": None}, {"members": {"one": 1.0, "two": 1.0}}):
        write_json(tmp_path / "linear/wenhuo.json", read_card(linear_model).model_dump() | changes)
        with pytest.raises(ModelError, match="a linear has an encoder, and no members"):
            Classifier.load(tmp_path / "linear")
