import unicodedata

import emoji
import pytest

from wenhuo.text.marks import named_emoji, shortened_runs, without_punctuation
from wenhuo.text.masks import TOKENS


def test_emoji_get_their_chinese_names() -> None:
    assert named_emoji("好😂👍🏽！") == "好[笑哭了][拇指向上_中等肤色]！"
    assert named_emoji("👩‍👩‍👧❤️1️⃣🇨🇳") == "[家庭_女人女人女孩][红心][按键_1][中国]"
    assert named_emoji("1#*好，体驗") == "1#*好，体驗"


def test_every_emoji_is_seen_and_its_name_is_settled() -> None:
    for sign in emoji.EMOJI_DATA:
        name = named_emoji(f"好{sign}好")
        assert name.startswith("好[")
        assert named_emoji(name) == unicodedata.normalize("NFKC", name) == shortened_runs(name, 2) == name


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("好好好好！！！！", "好好好！！！"),
        ("100000元，……，  \n\n\n\n", "100000元，……，  \n\n\n\n"),
        ("wwwwww www.a.cn aaaa😂😂😂😂", "www www.a.cn aaa😂😂😂"),
    ],
)
def test_runs_are_cut_to_three(text: str, cut: str) -> None:
    assert shortened_runs(text, 3) == cut


def test_the_www_of_an_address_is_no_run() -> None:
    assert shortened_runs("www.baidu.com wwww", 2) == "www.baidu.com ww"


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("很好，真的！（不贵）", "很好真的不贵"),
        ("it,works... 3.5 A+ C++", "it works 3 5 A C"),
        ("好，a，好", "好a好"),
        ("体驗𠮷_の・한글 क्षि é", "体驗𠮷の한글 क्षि é"),
        ("❤️👍🏽1️⃣￥％", "1"),
        (f"见{TOKENS['urls']}，{TOKENS['mentions']}！!{TOKENS['phones']}!", "见<url><user><phone>"),
        ("<b>a</b><urls>", "b a b urls"),
    ],
)
def test_punctuation_goes_and_letters_stay(text: str, stripped: str) -> None:
    assert without_punctuation(text) == stripped
    assert without_punctuation(stripped) == stripped
