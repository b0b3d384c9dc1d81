"""What is left of HTML in a text: tags go, what stands between them stays, entities become characters.

Only real tag names count, with attributes as HTML writes them, so that book titles in angle brackets (``<红楼>``,
``<A Brief History of Time>``), ``5<6`` and ``<3`` stay as they are.
"""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5

_INLINE = """a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd label mark nobr q rp rt ruby s samp
small span strike strong sub sup time tt u var wbr"""
_BLOCK = """address applet area article aside audio base basefont blockquote body br button canvas caption center col
colgroup dd details dialog dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6
head header hr html iframe input legend li link main map marquee menu meta nav noframes noscript object ol optgroup
option p param picture pre script section select source style summary svg table tbody td textarea tfoot th thead title
tr track ul video xml"""
_FLAGS = """allowfullscreen async autoplay checked compact controls defer disabled hidden ismap loop multiple muted
noshade nowrap open readonly required reversed selected"""

INLINE = frozenset(_INLINE.split())
"""Names of tags that stand within a line: nothing takes their place."""

BLOCK = frozenset(_BLOCK.split())
"""Names of tags that end a line: a line break takes their place."""

# No part of a tag may hold an angle bracket, and what matched is never given back (++): time grows with length only.
_VALUE = r"""(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>]++)"""
_ATTRIBUTE = rf"(?:(?:{'|'.join(_FLAGS.split())})(?=[\s/>])|[a-z_][\w:.-]*+\s*+=\s*+{_VALUE})"
_TAG = re.compile(
    rf"<(?:/([a-z][a-z0-9]*+)\s*+|([a-z][a-z0-9]*+)(?:\s++{_ATTRIBUTE})*+\s*+/?|/?[ovw]:[a-z]++\s*+/?"
    r"|!--[^<>]*+(?<=--)|!doctype\s[^<>]*+|!\[(?:end)?if[^<>]*+)>",
    re.IGNORECASE | re.ASCII,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")


def without_html(text: str) -> str:
    """The text with its entities decoded once and then without its tags."""
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return _TAG.sub(_place_of, text) if "<" in text else text


def _character(entity: re.Match[str]) -> str:
    """What an entity stands for. An unknown name stays, and ``&copy`` without a semicolon: URLs hold such things."""
    name = entity[1]
    return html5.get(f"{name};", entity[0]) if name else unescape(entity[0])


def _place_of(tag: re.Match[str]) -> str:
    """What takes a tag's place; something that only looks like a tag stays."""
    name = (tag[1] or tag[2] or "").lower()
    if not name or name in INLINE:
        return ""
    return "\n" if name in BLOCK else tag[0]
