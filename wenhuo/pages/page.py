"""Pages that need no network, no script and no other file, composed of sections in one style.

A section is a template in ``templates/sections`` and a function that gives it its values and returns markup (see
:mod:`wenhuo.pages.sections`); :func:`render_page` puts a header and any sections together. Every value is escaped:
label and source names come from outside. The same values give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from wenhuo.pages.wording import (
    asked,
    change,
    coded,
    excerpt,
    number,
    observed,
    percent,
    plural,
    points,
    together,
    visible,
)


def render_page(title: str, header: Markup, sections: Iterable[Markup], footer: Markup | str = "") -> str:
    """A whole page.

    Args:
        title: what the browser's tab says.
        header: see :func:`wenhuo.pages.sections.header`.
        sections: in order; an empty one is left out.
        footer: one sentence; plain text, or markup.
    """
    return _templates().get_template("page.html").render(title=title, header=header, sections=sections, footer=footer)


def fragment(template: str, **values: Any) -> Markup:
    """The markup of one template of ``templates/``; a value that it asks for and does not get is an error."""
    return Markup(_templates().get_template(template).render(values))  # noqa: S704 - the template escapes its values


@cache
def _templates() -> Environment:
    pages = Environment(
        loader=PackageLoader("wenhuo.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = (asked, change, coded, excerpt, number, observed, percent, plural, points, together, visible)
    pages.filters |= {word.__name__: word for word in words}
    return pages
