import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.text.mojibake import repaired

PUBLISHED = Path(__file__).resolve().parents[3] / "../shared/data"
COMMON = "".join(bytes([a, b]).decode("gb2312", "ignore") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF))
SOUND = [
    "房间很干净，前台也热情！下次还来。",
    "王鹤棣颁奖现场尖叫声",  # 棣颁奖 is also valid UTF-8 read as GBK
    "漫步亭台水榭间，赏梅打卡",
    "全红婵借奖牌合影，体驗臺灣",
    "价格····××××，30°左右，±5%，¥100",
    "Müller's café à la carte, été, naïve, Ærøskøbing, São Paulo",
    "Привет, мир! Καλημέρα ÀÉÎÕÜ",
    "日本語のテスト、ｶﾀｶﾅ 𠮷野家 ㈱①",
    "锟斤拷烫烫烫屯屯屯",
    "“好”——‘不好’……·《书》",
]


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_stays(text: str) -> None:
    assert repaired(text) == text


@given(st.text(st.sampled_from(COMMON + "，。！？：“”…—、《》abcXYZ 0123.()%#@&"), max_size=60))
@settings(max_examples=500)
def test_common_chinese_stays(text: str) -> None:
    assert repaired(text) == text


@pytest.mark.parametrize(
    "text",
    ["你好", "产品质量很好，下次再来！", "房间 123 很干净，ABC 不错。", "体驗臺灣：“很好”……", "《红楼梦》、一二三"],
)
@pytest.mark.parametrize(("written", "read"), [("utf-8", "latin-1"), ("utf-8", "gb18030"), ("gb2312", "latin-1")])
def test_what_was_read_wrong_comes_back_where_nothing_was_lost(text: str, written: str, read: str) -> None:
    try:
        wrong = text.encode(written).decode(read)
    except UnicodeError:
        pytest.skip(f"{read} cannot read these bytes, so that something is lost")
    assert repaired(wrong) == text


@given(st.text(st.sampled_from(COMMON[:800] + "，。"), min_size=2, max_size=30).map(lambda half: half + half))
@settings(deadline=None)
def test_an_even_number_of_characters_comes_back_from_gbk(text: str) -> None:
    wrong = text.encode().decode("gbk", "ignore")
    if wrong.encode("gbk") == text.encode():
        assert repaired(wrong) == text


def test_windows_1252_comes_back_too() -> None:
    assert repaired("é—®é¢˜å¾ˆå¤š") == "问题很多"
    assert repaired("很好的 cafÃ©") == "很好的 café"


def test_lost_bytes_are_not_invented() -> None:
    assert repaired("浣犲ソ鍚�") == "你好鍚�"  # the last byte of 吗 was lost


def test_hostile_texts_take_no_time() -> None:
    began = time.perf_counter()
    for text in ("浣犲" * 50_000, "Ã" * 100_000, "å¥" * 50_000, "ÄãºÃ" * 25_000):
        repaired(text)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("folder", ["chnsenticorp", "thucnews_titles", "eprstmt_fewshot"])
def test_no_published_text_changes(folder: str) -> None:
    if not (PUBLISHED / folder).exists():
        pytest.skip(f"the published data set {folder} is not beside the project")
    lines = [line for path in (PUBLISHED / folder).iterdir() for line in path.read_text(encoding="utf-8").split("\n")]
    assert [line for line in lines if repaired(line) != line] == []
