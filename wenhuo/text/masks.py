"""Web addresses, e-mail addresses, @names and phone numbers, each replaced by a fixed token.

The tokens look like tags that HTML does not have, so that no step takes them for markup; they are ASCII, so that every
vocabulary can spell them; and they hold no Chinese, so that no word of a text is mistaken for one (链接, 电话).
"""

from __future__ import annotations

import re

TOKENS = {"urls": "<url>", "emails": "<email>", "mentions": "<user>", "phones": "<phone>"}
"""What stands in place of what each step masks."""

TOKEN = "<(?:url|email|user|phone)>"  # noqa: S105
"""A pattern of all of them."""

MARKS = {
    "urls": r"(?i:https?[:：]//|ftps?[:：]//|www\.|[a-z0-9]\.[a-z]{2})",
    "emails": "[@＠]",
    "mentions": "[@＠]",
    "phones": r"[0-9(（][0-9()（）\- ]{8}[0-9]",
}
"""For each step a pattern that every text holds which it changes."""

# Names of the web without http:// or www. need a common ending, or a path (t.me/x). A Chinese character ends an
# address, for in Chinese no space does, unless it stands in the host (http://例子.cn).
_PLACE = r"[!#-;=?-~]*+"
_ENDINGS = r"(?:com|cn|net|org|gov|edu)(?![a-z0-9@_-]|\.[a-z])"
_ENDINGS_WITH_PATH = "(?:cc|co|hk|tw|io|me|tv|im|info|top|xyz|vip|shop|site|club|app|ly|gl|jp|uk|us)(?=/[!-~])"
_IDEOGRAPHIC_HOST = r"(?:[a-z0-9一-鿿-]{1,63}\.){1,6}(?:[a-z]{2,24}|中国|公司|网络)"
_URL = re.compile(
    rf"(?:https?|ftps?)[:：]//(?=[a-z0-9一-鿿])(?:{_IDEOGRAPHIC_HOST}|[a-z0-9]){_PLACE}"
    rf"|(?<![a-z0-9._@-])www\.[a-z0-9-]{{1,63}}\.{_PLACE}"
    r"|(?<![a-z0-9._@-])(?!(?:asp|ado|vb)\.net)(?:[a-z0-9][a-z0-9-]{0,62}\.){1,8}"
    rf"(?:{_ENDINGS}|{_ENDINGS_WITH_PATH})(?::[0-9]{{2,5}}(?![0-9]))?(?:[/?#]{_PLACE})?",
    re.IGNORECASE | re.ASCII,
)
_AFTER_URL = ".,;:!?'*|)]}"

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+[@＠](?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)

# A name reaches to the next space or mark, as Weibo reads it. It begins with a letter (单价@5元, @_@ stay) and stands
# in no address (a/@b) but after // (a repost: //@某某：).
_MENTION = re.compile(r"(?:(?<![A-Za-z0-9_.%+/-])|(?<=//)(?<!://))[@＠]([^\W\d_][\w·-]*+)(?![@＠])")
_LONGEST_NAME = 30
"""Half-widths of a Weibo name, of which a Chinese character takes two; what is longer is a sentence and stays."""

# Mainland numbers: mobile, landline with its area code, 400 and 800. Digits, letters, decimals, currencies, paths and
# units around them say that they are something else, and so do words such as 订单号.
_AREA = "0(?:10|2[0-9]|[3-9][0-9]{2})"
_PHONE = re.compile(
    r"(?<![0-9A-Za-z¥￥$€#=_-])(?<![0-9][.,])(?<![^0-9]/)(?:(?:(?:\+|00)86|86(?=[- ]?1))[- ]?)?"
    r"(?:1[3-9][0-9](?:[- ]?[0-9]{4}){2}"
    rf"|(?:[(（]{_AREA}[)）][- ]?|{_AREA}[- ])[2-8][0-9]{{2,3}}[- ]?[0-9]{{4}}(?:-[0-9]{{1,5}})?"
    r"|0(?:10|2[0-9])[2-8][0-9]{7}"
    r"|[48]00(?:-?[0-9]{3}-?[0-9]{4}|-[0-9]{4}-[0-9]{3}| [0-9]{3} [0-9]{4}))"
    r"(?![0-9A-Za-z_@＠]|[.,][0-9]|-[0-9]|[元块])"
)
_NO_PHONE = re.compile(r"(?i:[单编货型账帐卡证批列期]号码?|条码|isbn|qq|金额|价格)(?:[是为]|\s)*[:：]?\s*\Z")


def mask_urls(text: str) -> str:
    """The text with web addresses masked; marks that end a sentence after an address stay."""
    return _URL.sub(_url, text)


def mask_emails(text: str) -> str:
    """The text with e-mail addresses masked."""
    return _EMAIL.sub(TOKENS["emails"], text)


def mask_mentions(text: str) -> str:
    """The text with @names masked."""
    return _MENTION.sub(_mention, text)


def mask_phones(text: str) -> str:
    """The text with phone numbers of mainland China masked."""
    return _PHONE.sub(_phone, text)


def _url(found: re.Match[str]) -> str:
    address = found[0].rstrip(_AFTER_URL)
    return TOKENS["urls"] + found[0][len(address) :]


def _mention(found: re.Match[str]) -> str:
    width = sum(1 + (char > "\xff") for char in found[1])
    return TOKENS["mentions"] if 2 <= width <= _LONGEST_NAME else found[0]


def _phone(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 12) : found.start()]
    return found[0] if _NO_PHONE.search(before) else TOKENS["phones"]
