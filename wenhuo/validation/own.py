"""expectations.yaml: levels of the built-in expectations, and expectations of one's own.

::

    levels:
      no_html: off
    own:
      titles_are_short:
        level: warning
        because: The site cuts titles after 30 characters.
        expect: {column_values_to_be_between: {column: characters, max_value: 30, mostly: 0.99}}
        where: {split: train}

Nothing in the file is executed. Every mistake is found before any data are read, and all are reported together.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, RootModel, create_model

from wenhuo.settings import Section, parse_sections, read_yaml
from wenhuo.validation.columns import COLUMNS
from wenhuo.validation.vocabulary import COLUMN_ARGUMENTS, EXPECTATIONS, PREFIX, Asked

if TYPE_CHECKING:
    from wenhuo.validation.expectations import Check

Choice = Literal["error", "warning", "off"]
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
NUMERIC = ("min_value", "max_value", "value", "threshold", "sum_total", "mostly")
LISTS = ("value_set", "column_list", "regex_list", "value_pairs_set")


@dataclass(frozen=True)
class Chosen:
    """What a person wants of the suite.

    Attributes:
        levels: name of a built-in expectation to its level, or ``off``.
        own: expectations of one's own, as checks.
    """

    levels: Mapping[str, Choice]
    own: Sequence[Check]

    def applied(self, checks: Iterable[Check]) -> list[Check]:
        """The checks at the chosen levels, without those that are off."""
        levelled = (replace(check, level=cast(Any, self.levels.get(check.name, check.level))) for check in checks)
        return [check for check in levelled if cast(str, check.level) != "off"]


def read_expectations(path: Path | None) -> Chosen:
    """What expectations.yaml says; nothing chosen where there is no such file to read (None).

    Raises:
        SettingsError: with every mistake in the file.
    """
    if path is None:
        return Chosen({}, ())
    models = {"levels": _levels_model(), "own": cast(type[Section], Own)}
    parsed = parse_sections(read_yaml(path) or {}, models, where=str(path))
    levels = {name: level for name, level in parsed["levels"].model_dump().items() if level}
    own = cast(Own, parsed["own"]).root
    return Chosen(
        levels, [_check(name, expectation) for name, expectation in own.items() if expectation.level != "off"]
    )


@cache
def built_in_names() -> tuple[str, ...]:
    """The names of the expectations that hold for every corpus, in the order of the reports."""
    from wenhuo.validation.drift import drift_checks
    from wenhuo.validation.expectations import all_checks
    from wenhuo.validation.limits import Drift, Limits

    return tuple(check.name for check in (*all_checks(Limits(), []), *drift_checks(Drift())))


def _levels_model() -> type[Section]:
    """A model with a field for each built-in expectation, so that a wrong name is a mistake with a guess."""
    fields: Any = {name: (Choice | None, Field(None)) for name in built_in_names()}
    return create_model("Levels", __base__=Section, **fields)


class Where(Section):
    """Which rows an expectation is about; all that is said must be true of them."""

    split: Literal["train", "validation", "test"] | None = Field(None, description="Only rows of this split.")
    label: str | None = Field(None, coerce_numbers_to_str=True, description="Only rows with this label.")
    source: str | None = Field(None, coerce_numbers_to_str=True, description="Only rows from this source.")


def _checked(expect: dict[str, Any]) -> dict[str, Any]:
    """Exactly one known expectation with the arguments that it takes."""
    if len(expect) != 1:
        raise ValueError("name one expectation with its arguments, such as column_max_to_be_between: {…}")
    name, arguments = next(iter(expect.items()))
    asked = EXPECTATIONS.get(name.removeprefix(PREFIX))
    if asked is None:
        raise ValueError(f"unknown expectation {name}{_guess(name.removeprefix(PREFIX), EXPECTATIONS)}")
    if not isinstance(arguments or {}, dict):
        raise ValueError(f"{name} takes arguments by name, such as {{column: characters}}")
    mistakes = list(_mistakes(asked, arguments or {}))
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return {PREFIX + name.removeprefix(PREFIX): arguments or {}}


class OwnExpectation(Section):
    """One expectation of one's own."""

    level: Choice = Field(description="error stops the graph, warning is reported, off leaves it out.")
    because: str = Field(min_length=1, description="Why it is expected, one sentence, for whoever reads the report.")
    expect: Annotated[dict[str, Any], AfterValidator(_checked)] = Field(
        description="The name of an expectation of Great Expectations, with its arguments."
    )
    where: Where = Field(default_factory=lambda: Where(), description="Only these rows; all of them when left out.")


def _named(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("this is no name: use lower-case letters, digits and _, a letter first")
    if name in built_in_names():
        raise ValueError("this expectation is built in; change it under levels, or choose another name")
    return name


class Own(RootModel[dict[Annotated[str, AfterValidator(_named)], OwnExpectation]]):
    """The expectations of one's own by their names."""


def _mistakes(asked: Asked, arguments: Mapping[str, Any]) -> Iterator[str]:
    known = (*asked.required, *asked.optional)
    yield from (f"unknown argument {name}{_guess(name, known)}" for name in arguments if name not in known)
    yield from (f"the argument {name} is missing" for name in asked.required if name not in arguments)
    columns = _columns(arguments)
    for name in columns:
        if name not in COLUMNS:
            yield f"unknown column {name}{_guess(str(name), COLUMNS)}"
        elif COLUMNS[name].kind not in asked.kinds:
            yield f"the column {name} is a {COLUMNS[name].kind}; this expectation is about {_kinds(asked.kinds)}"
    kinds = {COLUMNS[name].kind for name in columns if name in COLUMNS}
    for name, value in arguments.items():
        mistake = _unfit(name, value, kinds) if name in known else ""
        if mistake:
            yield mistake


def _unfit(name: str, value: Any, kinds: Collection[str]) -> str:
    """What is wrong with the value of an argument; nothing when nothing is."""
    if name in NUMERIC and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"{name} must be a number, not {value!r}"
    if name == "mostly" and not 0 <= value <= 1:
        return f"mostly is a share, 0 to 1, not {value!r}"
    if name in LISTS and not isinstance(value, list):
        return f"{name} must be a list, not {value!r}"
    if name == "value_set" and kinds == {"name"} and not all(isinstance(item, str) for item in value):
        return "value_set holds words here: put quotes around numbers, true and false"
    if name == "quantile_ranges" and not _fit_quantiles(value):
        return "quantile_ranges must be {quantiles: [0.5, …], value_ranges: [[least, most], …]}, one range a quantile"
    if name in ("regex", "regex_list"):
        return next(filter(None, map(_unfit_pattern, value if isinstance(value, list) else [value])), "")
    return ""


def _fit_quantiles(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"quantiles", "value_ranges"}:
        return False
    quantiles, ranges = value["quantiles"], value["value_ranges"]
    pairs = isinstance(ranges, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in ranges)
    return pairs and isinstance(quantiles, list) and len(quantiles) == len(ranges)


def _unfit_pattern(pattern: Any) -> str:
    try:
        re.compile(str(pattern))
    except re.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    return ""


def _columns(arguments: Mapping[str, Any]) -> list[Any]:
    """The columns that arguments name."""
    given = (arguments[name] for name in COLUMN_ARGUMENTS if name in arguments)
    return [column for value in given for column in (value if isinstance(value, list) else [value])]


def _kinds(kinds: Sequence[str]) -> str:
    return " and ".join(f"{kind}s" for kind in kinds)


def _guess(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _check(name: str, own: OwnExpectation) -> Check:
    from wenhuo.validation.expectations import Check

    expectation, arguments = next(iter(own.expect.items()))
    where = {column: value for column, value in own.where.model_dump().items() if value is not None}
    level: Any = own.level
    return Check(name, level, own.because, expectation, arguments, "value", batch="rows", where=where, own=True)
