"""A new entry in a YAML file; every other byte stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.wenhuo.search.conftest import PARAMETERS
from wenhuo.errors import SettingsError
from wenhuo.search.insertion import flow, insert

ENTRY = {"kind": "transformer", "head": {"kind": "cnn", "widths": [2, 3]}, "batch_size": None, "rate": 1e-05, "a": "否"}
PATH = ("train", "candidates")
safe = YAML(typ="safe")


def lines_added(before: str, after: str) -> list[str]:
    """The lines of ``after`` that are new; the others are those of ``before``, in their order."""
    kept, added = before.splitlines(), []
    for line in after.splitlines():
        if kept and line == kept[0]:
            kept.pop(0)
        else:
            added.append(line)
    assert not kept
    return added


def test_comments_and_layout_survive():
    made = insert(PARAMETERS, PATH, "best", ENTRY, "trial 3")
    assert lines_added(PARAMETERS, made) == [
        "    best:  # trial 3",
        "      kind: transformer",
        "      head: {kind: cnn, widths: [2, 3]}",
        "      batch_size: null",
        "      rate: 1.0e-05",
        "      a: 否",
    ]
    assert made.index("    best:") < made.index("\n# the end")
    loaded = safe.load(made)
    assert loaded["train"]["candidates"]["best"] == ENTRY
    assert loaded["train"]["candidates"]["mini"] == safe.load(PARAMETERS)["train"]["candidates"]["mini"]


def test_line_ends_and_a_missing_last_one_are_kept():
    windows = PARAMETERS.replace("\n", "\r\n")
    made = insert(windows, PATH, "best", ENTRY, "trial 3")
    assert made.replace("\r\n", "").count("\n") == 0
    short = "train:\n  candidates:\n    a: {x: 1}"
    assert insert(short, PATH, "b", {"x": 2}, "t") == "train:\n  candidates:\n    a: {x: 1}\n    b:  # t\n      x: 2\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: {candidates: {a: {x: 1}}}\n", "no mapping with an entry on each line"),
        ("train:\n  candidates: {a: {x: 1}}\n", "no mapping with an entry on each line"),
        ("train:\n  candidates:\n    a:\n      y: |\n        text\n\nz: 1\n", "as it is written"),
        ("train: 1\n", "no mapping"),
    ],
)
def test_what_cannot_be_added_to_is_said_and_nothing_is_changed(text, said):
    with pytest.raises(SettingsError, match=said):
        insert(text, PATH, "b", {"x": 2}, "t")


@pytest.mark.parametrize(
    "text",
    [
        "train:\n  candidates:\n    a: {x: 1}   # one\n    # two\n\n  seed: 1\n",
        "train:\n  candidates:\n    a:\n      y: 1\n      x: [1,\n        2]  # c\n\nz: 1\n",
        "train:\n candidates:\n  a: &one\n   x: 'a''b'\n  c:\n   <<: *one\nz: 1\n",
        "train:\n  candidates:\n    a:\n      x:\n      - 1\n      - y: 2\n        z: 3 # last\nz: 1\n",
    ],
)
def test_other_ways_to_write_a_mapping(text):
    made = insert(text, PATH, "b", {"x": 2}, "t")
    assert len(lines_added(text, made)) == 2
    wanted = safe.load(text)
    wanted["train"]["candidates"]["b"] = {"x": 2}
    assert safe.load(made) == wanted


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner),
    max_leaves=6,
)  # fmt: skip


@given(VALUE)
def test_a_value_is_one_line_and_reads_back_exactly(value):
    written = flow(value)
    assert "\n" not in written
    assert safe.load(f"x: {written}  # comment\n")["x"] == value
