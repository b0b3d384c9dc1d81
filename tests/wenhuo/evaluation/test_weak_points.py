"""Slices and errors by kind: weaknesses are planted and found, and what is usual is not called a weakness."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.wenhuo.evaluation.conftest import make, rows_of, saying
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.evaluation.answers import Part, read_parts
from wenhuo.evaluation.encoded import unseen
from wenhuo.evaluation.error_kinds import Kind, error_kinds, kinds_of_answers, kinds_of_texts
from wenhuo.evaluation.phrasing import phrasing
from wenhuo.evaluation.sections import error_kinds as kinds_section
from wenhuo.evaluation.sections import slices as slices_section
from wenhuo.evaluation.slicing import cut_by_encoder, cuts, sliced
from wenhuo.evaluation.weaknesses import flagged
from wenhuo.models.folder import read_card

LABELS = ["差评", "好评"]


@pytest.mark.parametrize(("text", "negates", "turns", "mixes"), [
    ("房间不好", True, False, False),
    ("没有早餐", True, False, False),
    ("沒有早餐", True, False, False),
    ("别买", True, False, False),
    ("特别干净，不错", False, False, False),
    ("不过前台热情", False, True, False),
    ("不過前台熱情", False, True, False),
    ("这个app还行，但是太慢", False, True, True),
    ("I don't like it but okay", True, True, False),
    ("见<url>，很好", False, False, False),
    ("超かわいい", False, False, True),
    ("", False, False, False),
])  # fmt: skip
def test_negation_turns_and_scripts_are_told_by_words(text, negates, turns, mixes):
    found = phrasing(text)
    assert (found.negates, found.turns, found.mixes) == (negates, turns, mixes)


def planted(rows=600):
    """Errors stand mainly on rows that negate: a third of the rows, half of these wrong, of the others one in 20."""
    part = rows_of("test", LABELS, rows)
    texts = [f"房间{'不' if n % 3 == 0 else '很'}好" for n in range(rows)]
    wrong = np.array([n % 6 == 0 if n % 3 == 0 else n % 20 == 1 for n in range(rows)])
    return Part(part.ids, texts, part.truth, part.leaked), np.where(wrong, 1 - part.truth, part.truth)


def test_a_kind_with_more_errors_than_usual_is_named_and_the_others_are_not():
    part, said = planted()
    even = Kind("even", np.arange(600) % 2 == 0, "every second row")
    found = {one["kind"]: one for one in error_kinds(
        part.truth, said, [*kinds_of_texts(part, part.ids[:6]), even], LABELS, intervals=True
    )}  # fmt: skip
    wrong = int((said != part.truth).sum())
    negates = found["negates"]
    assert (negates["rows"], negates["errors"], negates["more"]) == (200, 100, True)
    assert negates["share"] == pytest.approx(100 / wrong, abs=1e-6)
    assert negates["interval"][0] > negates["usual"] == pytest.approx(wrong / 600, abs=1e-6)
    assert found["label looks wrong"]["rows"] == 6
    assert found["label looks wrong"]["more"] is None, "six rows say nothing"
    assert "turns" not in found, "no row has one"
    assert {one["group"] for one in found.values()} == {"rows", "confusion"}
    assert found["好评 → 差评"]["rows"] == 300
    assert sum(one["errors"] for one in found.values() if one["group"] == "confusion") == wrong


def test_without_errors_or_rows_there_are_no_kinds():
    part, _ = planted(60)
    assert error_kinds(part.truth, part.truth, kinds_of_texts(part, ()), LABELS, intervals=True) == []
    empty = Part([], [], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool))
    assert error_kinds(empty.truth, empty.truth, kinds_of_texts(empty, ()), LABELS, intervals=True) == []


def test_intervals_are_left_out_where_none_are_wanted():
    part, said = planted()
    for one in error_kinds(part.truth, said, kinds_of_texts(part, ()), LABELS, intervals=False):
        assert (one["interval"], one["more"]) == (None, None)


def test_sure_and_hesitant_answers_are_kinds():
    sure, unsure = saying(np.zeros(3, dtype=int), 2, 0.95), saying(np.zeros(2, dtype=int), 2, 0.55)
    kinds = {one.name: one.mask.tolist() for one in kinds_of_answers(np.concatenate([sure, unsure]), {})}
    assert kinds == {"surely answered": [True] * 3 + [False] * 2, "hardly answered": [False] * 3 + [True] * 2}


def test_test_is_cut_by_length_source_leak_and_encoder():
    part = rows_of("test", LABELS, 120)
    said = np.where(np.array(part.named["source"]) == "酒店", part.truth, 1 - part.truth)
    found = sliced(part, said, [*cuts(part), *cut_by_encoder({"cut": np.arange(120) < 30})], 2, intervals=True)
    by = {one["slice"]: one for one in found}
    assert {one["by"] for one in found} == {"length", "source", "leak", "truncation"}
    assert sum(one["rows"] for one in found if one["by"] == "length") == 120
    assert (by["source 酒店"]["accuracy"], by["source <i>书</i>"]["accuracy"]) == (1.0, 0.0)
    assert by["source 酒店"]["interval"][0] < 1.0 == by["source 酒店"]["interval"][1]
    assert (by["rows that stand in train"]["rows"], by["texts cut by the encoder"]["rows"]) == (24, 30)
    assert cut_by_encoder({"cut": np.zeros(3, dtype=bool)}) == cut_by_encoder({}) == []


def test_what_an_encoder_cuts_and_does_not_know_is_told(parts, linear_model, tmp_path):
    from tests.wenhuo.training.conftest import train

    corpus.encode_tokens(Tokens(kind="tokens", max_tokens=16), corpus.read_dataset(parts), tmp_path / "encoded")
    model, _ = train(tmp_path / "work", tmp_path / "encoded", epochs=1)
    texts = ["房间", "房间龘", "房" * 15, "房" * 14]
    found = unseen(model, read_card(model), texts)
    assert found["unknown"].tolist() == [False, True, False, False]
    assert found["cut"].tolist() == [False, False, True, False]
    found = unseen(linear_model, read_card(linear_model), texts)
    assert list(found) == ["unknown"]
    assert found["unknown"].tolist() == [False, True, False, False]
    assert unseen(model, read_card(model), [])["cut"].tolist() == []


def test_suspects_are_those_flagged_among_the_test_rows(tmp_path):
    rows = {"id": list("abc"), "split": ["test", "test", "train"], "flagged": [True, False, True]}
    pl.DataFrame(rows).write_parquet(tmp_path / "suspects.parquet")
    assert flagged(tmp_path / "suspects.parquet") == {"a"}


def test_sources_and_domains_are_read_where_there_are_such(tmp_path):
    rows = pl.DataFrame({"id": ["a"], "text": ["好"], "label": ["好评"], "leaked": [False], "domain": ["书"]})
    for split in ("validation", "test"):
        rows.write_parquet(tmp_path / f"{split}.parquet")
    assert read_parts(tmp_path, LABELS)["test"].named == {"domain": ["书"]}


def test_the_sections_show_the_figures_of_the_candidates_asked_for():
    material = make(LABELS, {"linear": 8, "mini": 12})
    both, one = (slices_section(material.summary, names) for names in (["linear", "mini"], ["mini"]))
    for line in material.summary["slices"]["mini"]:
        assert f"{line['accuracy']:.1%}" in one
        assert line["slice"].replace("<", "&lt;").replace(">", "&gt;") in one
    assert "<i>" not in one
    assert both.count("<bdi>linear</bdi>") == 1
    assert "linear" not in one
    kinds = kinds_section(material.summary, ["mini"])
    for line in material.summary["error_kinds"]["mini"]:
        assert f"{line['rate']:.1%}" in kinds
        assert line["kind"] in kinds
    for name in ("slices", "error_kinds"):
        without = {key: value for key, value in material.summary.items() if key != name}
        assert (slices_section if name == "slices" else kinds_section)(without, ["mini"]) == ""
