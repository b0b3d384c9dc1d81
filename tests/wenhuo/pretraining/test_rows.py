"""Rows of ids on disk, their words, the batches made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wenhuo.pretraining.conftest import make_lines, options
from wenhuo.files import read_json
from wenhuo.pretraining.batches import Text, ahead
from wenhuo.pretraining.pairs import NO_PAIR
from wenhuo.pretraining.pretrain import prepare
from wenhuo.pretraining.store import Chunk, read_rows, write_rows
from wenhuo.pretraining.tokens import ALONE, chunks, joined, make_tokenizer
from wenhuo.text.segmentation import segment


def text(parts, folder, **more) -> Text:
    from wenhuo.encoding.options import Tokens
    from wenhuo.encoding.tokens import load

    chosen = options(**more)
    prepare(chosen, parts, folder)
    tokenizer = load(folder / "tokenizer", Tokens(kind="tokens"))
    return Text(read_rows(folder), read_json(folder / "prepared.json")["own_rows"], tokenizer, chosen, 13)


@pytest.mark.parametrize("vocabulary", [200, 100_000])
def test_rows_come_back(tmp_path, vocabulary):
    ids = np.array([5, 7, 199, 0, 3], dtype=np.uint32)
    begins = np.array([True, False, True, True, False])
    write_rows(tmp_path, [Chunk(ids, begins, np.array([2, 3]), np.array([8, 9], dtype=np.uint32))] * 2, vocabulary)
    rows = read_rows(tmp_path)
    found, starts, lengths = rows.take(np.array([3, 0]))
    assert found.tolist() == [199, 0, 3, 5, 7]
    assert starts.tolist() == [True, True, False, True, False]
    assert lengths.tolist() == [3, 2]
    assert rows.keys.tolist() == [8, 9, 8, 9]
    write_rows(tmp_path, [], vocabulary)
    assert len(read_rows(tmp_path).lengths) == 0


def test_tokens_begin_words_where_jieba_does_and_long_texts_are_cut_evenly():
    chosen = options(max_tokens=12)
    lines = [*make_lines(50), "Ｗｉｆｉ好wifi很好", ""]
    tokenizer = make_tokenizer(chosen, lines)
    found = list(chunks(lines, tokenizer, chosen))
    assert max(found[0].lengths) <= 10
    ids, begins = found[0].ids.tolist(), found[0].begins.tolist()
    at = 0
    for line in lines[:50]:
        pieces = tokenizer.inner.convert_ids_to_tokens(ids[at : at + len(tokenizer.inner.tokenize(line))])
        words: list[str] = []
        for piece, begin in zip(pieces, begins[at : at + len(pieces)], strict=True):
            words = [*words, piece] if begin else [*words[:-1], words[-1] + piece.removeprefix("##")]
        assert words == segment(line)
        at += len(pieces)
    bounds = np.cumsum([0, *found[0].lengths])
    assert bounds[-1] == len(ids)


@given(st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=40), st.integers(30, 60))
def test_joined_rows_hold_every_text_once_and_in_order(rows, room):
    sizes = np.array([size for size, _ in rows], dtype=np.int64)
    keys = np.array([n if apart else ALONE + 90_000_007 * n for n, (_, apart) in enumerate(rows)], dtype=np.uint32)
    ids, separator = np.arange(10, 10 + sizes.sum(), dtype=np.uint32), 3
    made = joined(Chunk(ids, np.ones(len(ids), dtype=np.bool_), sizes, keys), separator, room)
    assert made.ids[made.ids != separator].tolist() == ids.tolist()
    assert made.lengths.sum() == len(made.ids) == len(made.begins)
    assert (made.lengths <= room).all()
    texts = np.split(ids, np.cumsum(sizes)[:-1]) if len(sizes) else []
    pieces = np.split(made.ids, np.cumsum(made.lengths)[:-1]) if len(made.lengths) else []
    together = [part.tolist() for piece in pieces for part in np.split(piece, np.flatnonzero(piece == separator))]
    assert [[i for i in part if i != separator] for part in together] == [text.tolist() for text in texts]
    by_itself = {tuple(text.tolist()) for text, key in zip(texts, keys, strict=True) if key < ALONE}
    assert by_itself <= {tuple(piece.tolist()) for piece in pieces}


def test_joined_rows_are_of_all_lengths_and_hide_no_separator(parts, lines, tmp_path):
    made = text(parts, tmp_path / "prepared", text=[str(lines)], join=True, max_tokens=60, batch_tokens=2000, mask=0.4)
    plain = text(parts, tmp_path / "plain", text=[str(lines)], max_tokens=60, batch_tokens=2000)
    separator = made.tokenizer.inner.sep_token_id
    between = len(plain.rows.lengths) - len(made.rows.lengths)
    assert (np.asarray(made.rows.values) & 0x7FFF == separator).sum() == between > 0
    assert made.rows.lengths.max() > 50
    assert np.isin(made.rows.keys[made.held_out], plain.rows.keys[plain.held_out]).mean() > 0.9
    held = made.rows.take(made.held_out)[0]
    assert not (held == separator).any()
    shares = [len(batch.places) / batch.mask.sum() for batch in (made.batch(numbers, 0) for numbers in made.plan(0))]
    assert 0.33 < np.mean(shares) < 0.41
    assert not any((batch.targets == separator).any() for batch in (made.batch(n, 0) for n in made.plan(0)))


def test_a_batch_hides_no_special_token_and_can_be_put_together_again(parts, lines, tmp_path):
    made = text(parts, tmp_path / "prepared", text=[str(lines)], mask=0.4)
    inner = made.tokenizer.inner
    for numbers in made.plan(0):
        batch = made.batch(numbers, 0)
        assert batch.mask.sum() == made.lengths[numbers].sum()
        assert batch.ids.size <= made.options.batch_tokens
        whole = batch.ids.copy().reshape(-1)
        whole[batch.places] = batch.targets
        for row, mask, number in zip(whole.reshape(batch.ids.shape), batch.mask, numbers, strict=True):
            ids = row[mask == 1]
            assert ids[0] == inner.cls_token_id
            assert ids[-1] == inner.sep_token_id
            assert ids[1:-1].tolist() == made.rows.take(made.train[[number]])[0].tolist()
        assert not np.isin(batch.targets, inner.all_special_ids).any() or inner.unk_token_id in batch.targets
        assert batch.mask.reshape(-1)[batch.places].all()


def test_the_same_pass_is_the_same_and_the_next_another(parts, lines, tmp_path):
    made = text(parts, tmp_path / "prepared", text=[str(lines)])
    numbers = made.plan(0)[0]
    first, again, next_pass = made.batch(numbers, 0), made.batch(numbers, 0), made.batch(numbers, 1)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert first.places.tolist() != next_pass.places.tolist()
    every = np.sort(np.concatenate(made.plan(1)))
    assert every.tolist() == list(range(len(made.train)))


def test_held_out_rows_are_never_trained_on(parts, lines, tmp_path):
    doubled = tmp_path / "doubled.txt"
    doubled.write_text(lines.read_text(encoding="utf-8") * 2, encoding="utf-8")
    made = text(parts, tmp_path / "prepared", text=[str(doubled)], own_text=2)
    held = set(made.rows.keys[made.held_out].tolist())
    assert held
    assert not held & set(made.rows.keys[made.train].tolist())
    own = made.train[made.train < made.own]
    assert len(own) == 2 * len(set(own.tolist()))
    none = text(parts, tmp_path / "other", text=[str(doubled)], own_text=0, held_out_tokens=0)
    assert len(none.held_out) == 0
    assert (none.train >= none.own).all()


@pytest.mark.parametrize("kind", ["order", "next"])
def test_pairs_are_parts_of_rows(parts, lines, tmp_path, kind):
    made = text(parts, tmp_path / "prepared", text=[str(lines)], own_text=0, sentences=kind)
    plain = {}
    labels = []
    for numbers in made.plan(0):
        batch = made.batch(numbers, 0)
        labels += batch.labels.tolist()
        whole = batch.ids.copy().reshape(-1)
        whole[batch.places] = batch.targets
        rows = whole.reshape(batch.ids.shape)
        for row, mask, second, label, number in zip(rows, batch.mask, batch.second, batch.labels, numbers, strict=True):
            ids, later = row[mask == 1], second[mask == 1] == 1
            own = made.rows.take(made.train[[number]])[0].tolist()
            one, two = ids[~later][1:].tolist(), ids[later][:-1].tolist()
            if label == NO_PAIR:
                assert not later.any()
                continue
            assert one[-1] == made.tokenizer.inner.sep_token_id
            swapped = two + one[:-1] if kind == "order" else one[:-1] + two
            if not label:
                assert one[:-1] + two == own
            elif kind == "order":
                assert swapped == own
            else:
                assert own[: len(one) - 1] == one[:-1]
            plain[label] = plain.get(label, 0) + 1
    assert 0.35 < plain[1] / (plain[0] + plain[1]) < 0.65
    assert NO_PAIR in labels


def test_the_next_thing_is_made_ahead_in_order():
    assert list(ahead(lambda x: x * x, range(5))) == [0, 1, 4, 9, 16]
    assert list(ahead(abs, [])) == []
