from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.encoding import tokens
from wenhuo.encoding.options import Tokens

TEXTS = ["我爱北京ABC，真的！", "我爱北京abc，真的！", "第2天 wifi 很慢", "第2天 wifi 很慢"]


def make(**more):
    return tokens.from_corpus(TEXTS, Tokens(kind="tokens", **more))


def test_characters_latin_words_and_unknowns():
    tokenizer = make()
    pieces = tokenizer.inner.convert_ids_to_tokens(tokenizer.encode(["我 爱wifi2x 火"])[0][0])
    assert pieces == ["[CLS]", "我", "爱", "wifi", "##2", "##x", "[UNK]", "[SEP]"]


def test_the_order_of_texts_does_not_change_the_vocabulary():
    assert tokens.character_vocabulary(TEXTS, 200) == tokens.character_vocabulary(TEXTS[::-1], 200)


def test_the_vocabulary_is_no_larger_than_asked():
    assert len(tokens.character_vocabulary(TEXTS, 80)) == 80


def test_saved_and_loaded_it_encodes_the_same(tmp_path: Path):
    options = Tokens(kind="tokens", max_tokens=8)
    tokenizer = tokens.from_corpus(TEXTS, options)
    tokens.save(tokenizer, tmp_path)
    assert tokens.load(tmp_path, options).encode(TEXTS) == tokenizer.encode(TEXTS)
    assert (tmp_path / "vocab.txt").read_text(encoding="utf-8").startswith("[PAD]\n[UNK]\n")


@pytest.mark.parametrize(("keep", "kept"), [("head", "0123"), ("tail", "6789"), ("head_tail", "0189")])
def test_what_is_kept_of_a_long_row(keep, kept):
    assert tokens.cut([int(c) for c in "0123456789"], 4, keep) == [int(c) for c in kept]


@given(st.lists(st.integers(), max_size=30), st.integers(1, 20), st.sampled_from(["head", "tail", "head_tail"]))
def test_a_cut_row_fits_and_a_short_one_is_whole(ids, room, keep):
    short = tokens.cut(ids, room, keep)
    assert len(short) == min(len(ids), room)
    assert short == ids or len(ids) > room


def test_long_rows_are_counted_and_keep_their_special_tokens():
    tokenizer = make(max_tokens=8)
    [(length, [ids])] = tokenizer.lengths_and_rows(["我" * 50])
    assert (length, len(ids)) == (52, 8)
    assert ids[0] == tokenizer.before[0]
    assert ids[-1] == tokenizer.after[0]


@given(st.text(max_size=60))
def test_any_text_encodes(text):
    [[ids]] = make().encode([text])
    assert ids[0] == 2
    assert ids[-1] == 3
