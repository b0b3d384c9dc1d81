"""Perturbations: the same for the same row, as many characters as stated, and never a text gone."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.perturbing.lexicon import Lexicon, build, reading
from wenhuo.perturbing.marks import traditional, without_punctuation
from wenhuo.perturbing.options import KINDS, Robustness
from wenhuo.perturbing.perturb import changer, generator, perturbed
from wenhuo.perturbing.typos import KEYS, typos
from wenhuo.text.keys import is_chinese
from wenhuo.text.script import simplified
from wenhuo.text.segmentation import segment

CORPUS = [
    "这家酒店的房间很干净，前台也热情，下次还会再来！",
    "银行行长说他的权力很大，我们的权利却很小。",
    "在城市里，他和她都是好人，那里的服务真好。",
    "书的内容不错，作者的文字也很有意思，值得一看。",
    "电脑的屏幕很大，键盘手感好，就是风扇声音有点吵。",
    "期中考试在其中，公式和攻势，事实与实事。",
] * 3
LEXICON = build(CORPUS)
REVIEW = "".join(CORPUS[:6])

TEXTS = st.lists(
    st.one_of(
        st.sampled_from("的一是不了人我在有他这中大来上国和地到说们为子行银长得着净隻龘〇𠀀"),
        st.sampled_from("，。！？；：、“”…—.,!?;:'\"()#%~@_-"),
        st.sampled_from("abcXYZ0123456789 \n\u3000"),
        st.sampled_from(["😂", "👨‍👩‍👧", "#️⃣", "‼️", "🇨🇳", "\ud83d", "\udc00", "<url>", "<user>", "é", "ж", "か"]),
    ),
    max_size=30,
).map("".join)
EMOJI = ("😂", "👨‍👩‍👧", "#️⃣", "‼️", "🇨🇳", "\ud83d", "\udc00", "<url>", "<user>")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(text=TEXTS, seed=st.integers(0, 99), rate=st.sampled_from([0.05, 0.1, 0.5]))
def test_nothing_is_lost_but_what_the_kind_is_about(kind, text, seed, rate):
    change = changer(kind, LEXICON, rate)
    found = change(text, generator(seed, kind, "row"))
    assert found == change(text, generator(seed, kind, "row"))
    assert bool(found.strip()) == bool(text.strip())
    if any(map(str.isalnum, text)):
        assert any(map(str.isalnum, found)), "what bears the label does not go"
    for kept in EMOJI:
        assert found.count(kept) >= text.count(kept), kept
    for char in set(text) - set("#‼"):
        if char.isdigit() or not (char.isprintable() or char.isspace()):
            assert found.count(char) == text.count(char)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_and_number_of_rows_change_nothing(kind):
    ids = [f"row-{n}" for n in range(len(CORPUS))]
    how = {"rate": 0.2, "seed": 3}
    found = dict(zip(ids, perturbed(kind, CORPUS, ids, LEXICON, **how), strict=True))
    back = perturbed(kind, CORPUS[::-1], ids[::-1], LEXICON, **how)
    assert dict(zip(ids[::-1], back, strict=True)) == found
    assert perturbed(kind, CORPUS[4:5], ids[4:5], LEXICON, **how) == [found["row-4"]]


@pytest.mark.parametrize("kind", ["typos", "homophones"])
def test_another_seed_and_another_row_change_other_characters(kind):
    change = changer(kind, LEXICON, 0.1)
    found = {change(REVIEW, generator(seed, kind, row)) for seed in (1, 2) for row in ("a", "b")}
    assert len(found) == 4


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("text", ["天地玄黄宇宙洪荒日月盈昃辰宿列张", "他的服务好", "hello there my friends"])
def test_typos_touch_the_stated_share(text, rate):
    """Of different characters every error can be told: what is there twice, not at all, or before its predecessor."""
    typed = sum(char.isalpha() for char in text)
    touched, rows = 0, 1500
    for row in range(rows):
        found = typos(text, generator(1, "typos", str(row)), rate)
        if text.isascii():
            touched += sum(old != new for old, new in zip(text, found, strict=True))
            continue
        places = [text.index(char) for char in found]
        touched += sum(found.count(char) != 1 for char in text)
        touched += 2 * sum(after < before for before, after in pairwise(places))
    assert touched / (rows * typed) == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.2])
def test_homophones_replace_the_stated_share(rate):
    common = [text for text in CORPUS if all(_replaceable(char) for char in "的在" if char in text)]
    chinese = replaced = 0
    for row in range(300):
        for text in common[:6]:
            found = changer("homophones", LEXICON, rate)(text, generator(1, "homophones", str(row)))
            assert len(found) == len(text)
            chinese += sum(map(is_chinese, text))
            replaced += sum(a != b for a, b in zip(text, found, strict=True))
    assert replaced / chinese == pytest.approx(rate, rel=0.12)


def _replaceable(char):
    return LEXICON.another(char, reading(char), generator(0, "", "")) is not None


def test_homophones_share_a_reading_and_stand_in_the_corpus():
    known, changed, runs = set("".join(CORPUS)), 0, re.findall(r"[\u4e00-\u9fff]+", REVIEW)
    for row in range(100):
        found = changer("homophones", LEXICON, 0.2)(REVIEW, generator(2, "homophones", str(row)))
        for run, after in zip(runs, re.findall(r"[\u4e00-\u9fff]+", found), strict=True):
            assert set(after) <= known
            for old, new in word_by_word(run, after):
                apart = [at for at in range(len(old)) if old[at] != new[at]]
                changed += len(apart)
                assert reading(new) == reading(old) or (
                    len(apart) == 1 and reading(new[apart[0]])[0] == reading(old)[apart[0]]
                ), (old, new)
    assert changed > 500


def word_by_word(before, after):
    at = 0
    for word in segment(before):
        yield word, after[at : at + len(word)]
        at += len(word)


def test_whole_words_become_words_of_the_same_sound():
    found = {changer("homophones", LEXICON, 0.5)("权利", generator(1, "", str(row))) for row in range(60)}
    assert "权力" in found
    lexicon = build(["其中", "期中", "其中", "期中"])
    assert lexicon.another("其中", reading("其中"), generator(1, "", "")) == "期中"
    assert {lexicon.another("其中", reading("其中"), generator(1, "", str(n))) for n in range(20)} == {"期中"}


def test_a_characters_reading_is_that_of_its_word():
    assert reading("银行")[1] == "hang"
    assert reading("行人")[0] == "xing"
    assert reading("绿") == ("lv",)
    lexicon = build(["航", "航", "型", "型"])
    change = changer("homophones", lexicon, 0.5)
    found = {change("银行", generator(1, "", str(row))) for row in range(60)}
    assert found == {"银航"}, "航 is háng, as 行 is in 银行; 型 is not"


def test_common_words_are_picked_more_often_and_strays_never():
    lexicon = build(["城"] * 90 + ["成"] * 10 + ["誠"])
    picked = [lexicon.another("乘", ("cheng",), generator(1, "", str(n))) for n in range(400)]
    assert 0.8 < picked.count("城") / 400 < 0.98
    assert set(picked) == {"城", "成"}


def test_the_other_script_is_no_other_word():
    lexicon = build(["来來"] * 9)
    assert lexicon.another("来", ("lai",), generator(1, "", "")) is None


def test_a_corpus_without_chinese_changes_nothing():
    assert build(["plain English", "😂"]) == Lexicon({})
    assert changer("homophones", Lexicon({}), 0.5)("plain 房间", generator(1, "", "")) == "plain 房间"


def test_neighbouring_keys_are_neighbours():
    row_of = {key: (line, at) for line, keys in enumerate(KEYS) for at, key in enumerate(keys)}
    for row in range(100):
        found = typos("Keyboard", generator(1, "", str(row)), 0.5)
        for old, new in zip("Keyboard", found, strict=True):
            (line, at), (other, there) = row_of[old.lower()], row_of[new.lower()]
            assert abs(line - other) <= 1
            assert abs(at - there) <= 1
            assert old.isupper() == new.isupper()


@pytest.mark.parametrize(("text", "expected"), [
    ("很好！3.5分，值。", "很好3.5分值"),
    ("12:30到13:00，2-3天，50%。", "12:30到13:00 2-3天50%"),
    ("1、好2、快", "1好2快"),
    ("共1,000元…", "共1,000元"),
    ("好，好", "好好"),
    ("it,works; don't", "it works dont"),
    ("1...2", "1 2"),
    ("赞👍！！😂。", "赞👍😂"),
    ("#️⃣话题#", "#️⃣话题"),
    ("见<url>！", "见<url>"),
    ("￥35.5~~", "￥35.5"),
    ("！！！", "！！！"),
    ("没有标点", "没有标点"),
])  # fmt: skip
def test_marks_go_and_numbers_stay(text, expected):
    assert without_punctuation(text) == expected


def test_traditional_script_is_settled_after_one_time_but_for_ambiguous_characters():
    once = [traditional(text) for text in CORPUS]
    assert all(one != text for one, text in zip(once, CORPUS, strict=True))
    assert [traditional(one) for one in once] == once
    assert [simplified(one) for one in once] == CORPUS
    assert traditional("頭髮很長") == "頭髮很長"
    assert traditional("I 😂 \ud83d") == "I 😂 \ud83d"


@pytest.mark.parametrize("wrong", [
    {"kinds": ["typos", "typos"]}, {"kinds": []}, {"kinds": ["noise"]}, {"rate": 0}, {"rate": 0.6}, {"rows": -1},
])  # fmt: skip
def test_what_makes_no_sense_is_a_mistake(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Robustness(**wrong)
