import time
from collections.abc import Callable

import pytest

from wenhuo.text.html import without_html
from wenhuo.text.masks import TOKENS, mask_emails, mask_mentions, mask_phones, mask_urls


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("看http://t.cn/AbC快来", "看<url>快来"),
        ("（https://a.cn/x?b=1&c=2#d）。", "（<url>）。"),
        ("见 www.baidu.com, 或 HTTP://A.COM/。", "见 <url>, 或 <url>。"),
        ("京东jd.com买的，item.jd.com/1.html", "京东<url>买的，<url>"),
        ("http://例子.cn/?q=1 和 http://例子.中国/路", "<url> 和 <url>路"),
        ("https://zh.wikipedia.org/wiki/北京", "<url>北京"),
        ("http：//www.x.com/a t.me/abc x.com.cn:8080/b", "<url> <url> <url>"),
        ("http://a.com/b_(c)", "<url>)"),
        (
            "asp.net、VB.NET、3.5、a.b、e.g.、node.js、http:// 和 t.me",
            "asp.net、VB.NET、3.5、a.b、e.g.、node.js、http:// 和 t.me",
        ),
        ("someone@x.com @x.com", "someone@x.com @x.com"),
    ],
)
def test_urls(text: str, masked: str) -> None:
    assert mask_urls(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("邮箱123456@qq.com，或a.b+c@mail.x.com.cn。", "邮箱<email>，或<email>。"),
        ("a＠b.cn", "<email>"),
        ("a@b 和 @b.com 和 x@y.", "a@b 和 @b.com 和 x@y."),
    ],
)
def test_emails(text: str, masked: str) -> None:
    assert mask_emails(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("谢谢@小明 你好", "谢谢<user> 你好"),
        ("好//@某某：转发//@a_b-c:转", "好//<user>：转发//<user>:转"),
        ("＠小明，@Tom!", "<user>，<user>!"),
        ("单价@5元 @_@ @o@ @ 小明 a@b.c http://m.cn/@x", "单价@5元 @_@ @o@ @ 小明 a@b.c http://m.cn/@x"),
        ("@" + "张三今天这家酒店的早餐非常好吃推荐", "@" + "张三今天这家酒店的早餐非常好吃推荐"),  # longer than a name
    ],
)
def test_mentions(text: str, masked: str) -> None:
    assert mask_mentions(text) == masked


PHONES = """13812345678 138-1234-5678 138 1234 5678 +86 13812345678 +86-138-1234-5678 8613812345678 010-62345678
021-6234 5678 0755-2345678 (0755)82345678 （010）62345678 01062345678 010-62345678-123 400-123-4567 4001234567
400-1234-567 400 123 4567 800-810-1234"""
OTHERS = """13812345678元 ¥13812345678 ￥13812345678 订单号：13812345678 单号13812345678
货号是_13812345678 QQ:13812345678
1381234567 138123456789 A13812345678 13812345678A 3.13812345678 13812345678.50 2012-10-13 2012-10-13-12 20121013 12:30
110101199001011234 12345678 0.1381234567 400 4000 400-12 1.4001234567 2010-2011-2012 x=13812345678 /p/13812345678
13812345678@qq.com 6222021234567890123 12812345678 978-7-111-40701-0"""


def phones() -> list[str]:
    found = PHONES.replace("\n", " ").replace(" 1234 5678", "_1234_5678").replace(" 5678", "_5678")
    found = found.replace("+86 ", "+86_").replace("400 123 4567", "400_123_4567")
    return [phone.replace("_", " ") for phone in found.split()]


@pytest.mark.parametrize("phone", phones())
def test_phones(phone: str) -> None:
    assert mask_phones(f"电话：{phone}，找我") == "电话：<phone>，找我"
    assert mask_phones(f"拨打{phone}") == "拨打<phone>"
    assert mask_phones(phone) == "<phone>"


@pytest.mark.parametrize("other", OTHERS.split())
def test_other_numbers_stay(other: str) -> None:
    other = other.replace("_", " ")
    assert mask_phones(f"看{other}，好") == f"看{other}，好"


def test_several_phones() -> None:
    assert mask_phones("13812345678/13912345678、010-62345678") == "<phone>/<phone>、<phone>"


@pytest.mark.parametrize("token", TOKENS.values())
def test_tokens_are_taken_for_nothing_else(token: str) -> None:
    for step in (without_html, mask_urls, mask_emails, mask_mentions, mask_phones):
        assert step(f"好{token}b>{token}&lt") == f"好{token}b>{token}&lt"


@pytest.mark.parametrize("step", [mask_urls, mask_emails, mask_mentions, mask_phones])
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a.",
        "a@",
        "@a",
        "1",
        "138",
        "1-",
        "0755-",
        "http://",
        "www.",
        "+86",
        "a-",
        ".com",
        "(010)",
        "//@",
        "中.",
        "86 ",
    ],
)
def test_hostile_texts_take_linear_time(step: Callable[[str], str], piece: str) -> None:
    text = piece * (60_000 // len(piece))
    began = time.perf_counter()
    step(text)
    assert time.perf_counter() - began < 2
