import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from wenhuo.text.characters import PLAIN
from wenhuo.text.cleaning import STEPS, Cleaning, changing_steps, clean_text, clean_texts, plan
from wenhuo.text.masks import TOKENS

ALWAYS = ("html", "controls", "width", "unicode", "whitespace")
ALL = Cleaning()
EVERYTHING = Cleaning(
    mojibake=True,
    script="simplified",
    **dict.fromkeys(TOKENS, "mask"),
    emoji="name",
    repeats=2,
    punctuation="strip",
)
NONE = Cleaning(unicode="none", width=False, html=False, controls=False, whitespace=False)
UNIFIED = re.compile(
    "[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6df\U0002a700-\U0002ebef\U00030000-\U0003347f]"
)

chinese = st.text(st.sampled_from("中文红楼梦不好吃很㐀䶿龥鿿𠀀𠮷𪚥𫝀𱍊𰻞體臺〇"), max_size=6)
# Pieces that steps are about and that may uncover work for each other when they come to stand side by side.
MARKUP = """& < > ; / # x26 38 lt gt amp am p; &amp; &amp;amp; &lt; &gt; &#60; &#x3e; &#8203; &nbsp; &#12288; &quot;
b br <b> <br> </b> <!-- --> ＜ ＞ ＆ ； Ａ １ ｶ ﾞ ﬁ ① … ！ ⅷ ﷺ ㈱ ⼀ 豈 A 1 e o: <A = ' " ﹤ ﹥ ﹠"""
ADDRESSES = """http:// https:// ： // www. .com .cn t.cn/ a 中 @ ＠ 小明 _ - qq 138 1234 5678 13812345678 010- 400 +86
( ) （ ￂ ä½ å¥½ ï¼Œ Ã© â€ œ ÄãºÃ 浣犲ソ 锛屼笘鐣 绗竴 韬 变 急 锟斤拷
薴 苧 乾清宮 乾清宫 反覆 明瞭 藉 於 則 體 麼 <url> <user> < url > 哈哈 ！！ aa ww
😂 👍🏽 ❤️ 👩‍👩‍👧 1️⃣ #️⃣ © ™ ㊗ 🇨🇳 订单号 ￥ 元 . / ?"""
MARKS = " \n\t\r\0\v\x1c\x85\xa0\u3000\u2028\u200b\u200c\u200d\u202e\ufeff\ufffd\ud800\u0301\u3099\u0338\ufe0f👩🏽🇨"
pieces = st.one_of(
    chinese,
    st.sampled_from(MARKUP.split()),
    st.sampled_from(ADDRESSES.split()),
    st.sampled_from(MARKS),
    st.characters(exclude_categories=[]),
)
texts = st.lists(pieces, max_size=25).map("".join)
choices = st.builds(
    Cleaning,
    unicode=st.sampled_from(["nfkc", "nfc", "none"]),
    width=st.booleans(),
    html=st.booleans(),
    controls=st.booleans(),
    whitespace=st.booleans(),
    mojibake=st.booleans(),
    script=st.sampled_from(["keep", "simplified"]),
    **dict.fromkeys(TOKENS, st.sampled_from(["keep", "mask"])),
    emoji=st.sampled_from(["keep", "name"]),
    repeats=st.sampled_from([None, 2, 3]),
    punctuation=st.sampled_from(["keep", "strip"]),
)


def unified(text: str) -> list[str]:
    return UNIFIED.findall(text)


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    remaining = iter(whole)
    return all(char in remaining for char in part)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("很<b>好</b>，<br/>下次<font color=red>来</font>", "很好， 下次来"),
        ("<p class='x' id=\"中\">一</p><P>二</P >", "一 二"),
        ("<input disabled>一<!-- 注 -->二<!DOCTYPE html>三<o:p></o:p>", "一二三"),
        ("<红楼>和<荐书>，5<6，<3，a<b", "<红楼>和<荐书>，5<6，<3，a<b"),
        ("<A Song of Ice and Fire>很好", "<A Song of Ice and Fire>很好"),
        ("中&nbsp;国&#183;好&hellip;&#x4E2D;", "中 国·好…中"),
        ("&amp;lt;br&amp;gt;好", "好"),
        ("?a=1&copy=2 &unknown; AT&T", "?a=1&copy=2 &unknown; AT&T"),
        ("Ａｂｃ１２３　％，ｶﾞ㎡", "Abc123 %，ガm2"),
        ("，。！？；：（）“”‘’…—《》【】、～「」『』〈〉·", "，。！？；：（）“”‘’…—《》【】、～「」『』〈〉·"),
        ("a\u200bb\u202ec\ufeff中\x00文\u00ad", "abc中文"),
        ("👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👍🏽", "👩\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 👍🏽"),
        ("中\u200d文\u200d", "中文"),
        ("می\u200cخواهم क\u094d\u200dष", "می\u200cخواهم क\u094d\u200dष"),
        ("e\u0301 か\u3099 x\u0323", "é が x\u0323".replace("x\u0323", unicodedata.normalize("NFC", "x\u0323"))),
        ("\ud83d坏\ufffd", "\ufffd坏\ufffd"),
        (" \r\n\t一\u3000 \xa0二\u2028三\x85 ", "一 二 三"),
        ("\u3164\u200b\u3000 \u2800", ""),
        ("體驗臺灣 日本語のテスト mixed English 𠮷野家", "體驗臺灣 日本語のテスト mixed English 𠮷野家"),
        ("http://例子.cn/?q=1&lang=zh @某人 #话题# ", "http://例子.cn/?q=1&lang=zh @某人 #话题#"),
        ("ä½ å¥½", "ä1⁄2 å¥1⁄2"),
        ("", ""),
        ("好", "好"),
    ],
)
def test_every_step_on(text: str, cleaned: str) -> None:
    assert clean_text(text, ALL) == cleaned


@pytest.mark.parametrize(
    ("step", "text", "cleaned"),
    [
        ({"html": True}, "<b>Ａ</b>\u200b &lt;", "Ａ\u200b <"),
        ({"width": True}, "Ａ１\u3000①，<b>", "A1 ①，<b>"),
        ({"unicode": "nfkc"}, "Ａ１\u3000①，<b>", "Ａ１\u30001，<b>"),
        ({"unicode": "nfc"}, "e\u0301①豈", "é①豈"),
        ({"controls": True}, "<b>\u200b\r\n一\t\x07", "<b>\n一\t"),
        ({"whitespace": True}, " <b>\n\u3000Ａ\u200b ", "<b> Ａ\u200b"),
    ],
)
def test_one_step_alone(step: dict[str, object], text: str, cleaned: str) -> None:
    assert clean_text(text, NONE.model_copy(update=step)) == cleaned


@given(texts)
def test_no_step_no_change(text: str) -> None:
    assert clean_text(text, NONE) == text


@given(texts, choices)
@settings(max_examples=600, deadline=None)
def test_cleaning_twice_is_cleaning_once(text: str, steps: Cleaning) -> None:
    once = clean_text(text, steps)
    assert clean_text(once, steps) == once
    assert changing_steps(once, steps) == set()
    assert clean_texts([text, once], steps) == [once, once]
    assert bool(changing_steps(text, steps)) == (once != text)


sound_pieces = st.lists(pieces.filter(lambda piece: not set(piece) & set("='\"!")), max_size=25).map("".join)


@given(sound_pieces, choices)
@settings(max_examples=400, deadline=None)
def test_no_chinese_character_is_lost(text: str, steps: Cleaning) -> None:
    """Only these may take Chinese characters: names and addresses that hold some, runs, and mojibake, which is none."""
    asked = {"script": "keep", "urls": "keep", "mentions": "keep", "repeats": None, "mojibake": False}
    assert is_subsequence(unified(text), unified(clean_text(text, steps.model_copy(update=asked))))


@given(texts)
@settings(deadline=None)
def test_simplifying_gives_a_character_for_a_character(text: str) -> None:
    assert len(clean_text(text, NONE.model_copy(update={"script": "simplified"}))) == len(text)


@given(texts, st.integers(2, 4))
@settings(deadline=None)
def test_cutting_runs_takes_nothing_else(text: str, length: int) -> None:
    single = re.compile(r"(.)\1+", re.DOTALL)
    cut = clean_text(text, NONE.model_copy(update={"repeats": length}))
    assert single.sub(r"\1", cut) == single.sub(r"\1", text)
    assert re.findall(r"\d+", cut) == re.findall(r"\d+", text)


@given(sound_pieces.filter(lambda text: not set(text) & set("@＠./")), choices)
@settings(deadline=None)
def test_addresses_without_their_signs_are_none(text: str, steps: Cleaning) -> None:
    masked = {"urls": "mask", "mentions": "mask", "emails": "mask", "unicode": "none"}
    off = dict.fromkeys(("urls", "mentions", "emails"), "keep") | {"unicode": "none"}
    assert clean_text(text, steps.model_copy(update=masked)) == clean_text(text, steps.model_copy(update=off))


@given(texts, choices)
@settings(max_examples=400, deadline=None)
def test_what_a_plan_leaves_alone_needs_no_step(text: str, steps: Cleaning) -> None:
    chosen = plan(steps)
    for short in (text, text[:3], text[-5:]):
        if chosen.leaves(short):
            assert all(step(short, steps) == short for _, step in chosen.active)


@given(
    st.lists(
        st.tuples(chinese, st.sampled_from(["<br>", "</p>", "<img alt='图' src=x>", "&nbsp;", "<b>", "\u200b", ""]))
    )
)
def test_only_the_planted_html_goes(planted: list[tuple[str, str]]) -> None:
    text = "".join(part for pair in planted for part in pair)
    assert unified(clean_text(text, ALL)) == unified("".join(part for part, _ in planted))


def test_plain_characters_need_no_step() -> None:
    plain = re.compile(f"[{PLAIN}]")
    for char in filter(plain.fullmatch, map(chr, range(0x110000))):
        assert all(STEPS[name](char, ALL) == char for name in ALWAYS), char
        assert not unicodedata.combining(char)
        assert unicodedata.normalize("NFC", char) == char


def test_ideographs_outside_the_compatibility_blocks_stay() -> None:
    ideographs = "".join(filter(UNIFIED.fullmatch, map(chr, range(0x3000, 0x33480))))
    assert clean_text(ideographs, ALL) == ideographs


@pytest.mark.parametrize(
    "text",
    [
        "好" * 100_000,
        "<b" * 50_000,
        "<b" * 33_000 + ">" * 33_000,
        "<a b='" * 16_000,
        "<a " + "b=c " * 25_000,
        "<a" + " " * 100_000,
        "<!--" * 25_000,
        "&" + "amp;" * 25_000,
        "&am" * 20_000 + "p;" * 20_000,
        "&am&#82" * 7_000 + "&#8203;" + "03;p;" * 7_000,
        " " * 100_000 + "x",
        "\u200d" * 100_000,
        "a" + "\u0301" * 100_000,
        "ﷺ" * 20_000,
        "http://a.cn/@b " * 8_000,
        "😂👍🏽" * 30_000,
        "浣犲ソ，" * 20_000,
        "13812345678-" * 8_000,
    ],
)
def test_long_and_hostile_texts_are_cleaned_in_time_and_come_to_rest(text: str) -> None:
    for steps in (ALL, EVERYTHING):
        began = time.perf_counter()
        once = clean_text(text, steps)
        assert time.perf_counter() - began < 60  # up to 4 s (emoji) on a quiet core; a quadratic pattern takes an hour
        assert clean_text(once, steps) == once


def test_short_texts_are_fast() -> None:
    titles = ["词汇阅读是关键 08年考研暑期英语复习全指南", "中国人民公安大学2012年硕士研究生目录及书目"] * 20_000
    began = time.perf_counter()
    assert clean_texts(titles, ALL) == titles
    assert time.perf_counter() - began < 1  # 40,000 texts in about 0.02 s


def test_changing_steps_are_named() -> None:
    assert changing_steps("<b>Ａ</b>①\u200b  x", ALL) == {"html", "controls", "width", "unicode", "whitespace"}
    assert changing_steps("好，不好！", ALL) == set()


def test_a_record_from_before_a_step_was_there_means_what_it_meant() -> None:
    record = {"unicode": "nfkc", "width": True, "html": True, "controls": True, "whitespace": True}
    assert {name for name, _ in plan(Cleaning(**record)).active} == set(ALWAYS)
    assert Cleaning(**record) == Cleaning()
    assert Cleaning(**EVERYTHING.model_dump()) == EVERYTHING


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("http://a.cn/1 http://b.cn/2 www.c.com", "<url> <url> <url>"),
        ("加微信１３８１２３４５６７８！！！！", "加微信<phone>"),
        ("//@某某：體驗很差，😂😂😂😂浣犲ソ", "<user>体验很差笑哭了笑哭了你好"),
        ("\ud83d\ufffd\u0301", "\u0301"),
        ("\u3000\u200b！", ""),
        ("好", "好"),
        ("𠮷野家 mixed テスト", "𠮷野家 mixed テスト"),
    ],
)
def test_everything_on(text: str, cleaned: str) -> None:
    assert clean_text(text, EVERYTHING) == cleaned


def test_unknown_steps_are_refused() -> None:
    with pytest.raises(ValidationError):
        Cleaning(unicode="nfkd")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Cleaning(lowercase=True)  # type: ignore[call-arg]
