"""Asks Great Expectations: in memory, silent and offline.

Of what it answers only numbers are kept, never a value of a row, so that no text and no run id or time can reach the
reports.
"""

from __future__ import annotations

import logging
import math
import numbers
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import great_expectations as gx
import pandas as pd
import polars as pl
from great_expectations.compatibility.pydantic import ValidationError
from great_expectations.expectations.registry import get_expectation_impl

from wenhuo.errors import SettingsError
from wenhuo.validation.expectations import NAMED, Check, Level, Unit
from wenhuo.validation.vocabulary import COLUMN_ARGUMENTS, by_row

EXAMPLES = 20  # offenders named per expectation: enough to see a pattern, few enough to read
NUMBERS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
PLACES_ONLY = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
POSITION = "position"
MANY = 100_000  # rows that break an expectation of one's own: of more, Great Expectations' list is not asked for

Places = Callable[[Sequence[int]], list[dict[str, Any]]]
"""From positions of rows to where they stand: ``id``, ``origin`` and ``row`` of each."""


@dataclass(frozen=True)
class Verdict:
    """What came of one expectation.

    Attributes:
        name: as in :class:`~wenhuo.validation.expectations.Check`, like ``level``, ``description`` and ``unit``.
        success: was it met?
        observed: the measured number in ``unit``; None when there was nothing to measure.
        rows: how many rows break it; None where it is not about single rows.
        share: ``rows`` as a share of the rows that it is about, 0 to 1.
        note: why there is nothing observed, or the fields, labels or parts that it is about; else empty.
        expectation: the name of the Great Expectations expectation.
        arguments: what it was given.
        where: column to value: the rows it is about; empty for all.
        own: it stands in expectations.yaml.
        offenders: the first rows that break it, as ``id``, ``origin`` and ``row``.
    """

    name: str
    level: Level
    description: str
    success: bool
    observed: float | None
    unit: Unit
    rows: int | None
    share: float | None
    note: str
    expectation: str
    arguments: dict[str, Any]
    where: dict[str, str]
    own: bool
    offenders: list[dict[str, Any]]


def prepare(checks: Iterable[Check]) -> dict[str, Any]:
    """The expectations by the names of their checks, so that what Great Expectations refuses is known before reading.

    Raises:
        SettingsError: with every expectation that it refuses.
    """
    made: dict[str, Any] = {}
    mistakes: list[str] = []
    for check in checks:
        try:
            implementation = get_expectation_impl(check.expectation)
            made[check.name] = implementation(**check.arguments, meta={"name": check.name})
        except (ValidationError, TypeError, ValueError) as error:
            mistakes.append(f"own.{check.name}.expect: {_reason(error)}")
    if mistakes:
        raise SettingsError("expectations.yaml: " + "\n  ".join(mistakes), "mend them and run again")
    return made


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
    return " ".join(str(error).split())


def hold(
    batches: Mapping[str, pl.DataFrame], checks: Sequence[Check], expectations: Mapping[str, Any], places: Places
) -> list[Verdict]:
    """Hold a corpus against the suite.

    Args:
        batches: the tables that the checks are about, by name.
        checks: the suite.
        expectations: what :func:`prepare` made of it.
        places: says where rows stand.

    Returns:
        One verdict a check, in order.
    """
    context = _quiet_context()
    asked: dict[tuple[Any, ...], list[Check]] = {}
    for check in checks:
        asked.setdefault((check.batch, *check.where.items()), []).append(check)
    verdicts: dict[str, Verdict] = {}
    for number, together in enumerate(asked.values()):
        table = _chosen(batches[together[0].batch], together[0].where)
        batch = _batch(context, f"batch {number}", table, [expectations[check.name] for check in together])
        answers = _ask(batch, [expectations[check.name] for check in together])
        for check in together:
            about = batches["rows"] if check.batch in ("whole", "labels") else table
            verdict = _verdict(check, answers[check.name], about)
            if verdict.rows and not verdict.success:
                first = _first(check, verdict.rows, about, batch, expectations[check.name])
                verdict = replace(verdict, offenders=places(first))
            verdicts[check.name] = verdict
    return [verdicts[check.name] for check in checks]


def _quiet_context() -> Any:
    """An ephemeral context that draws no bars, writes no log lines and sends nothing anywhere."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logger = logging.getLogger("great_expectations")
    logger.propagate = False  # a level would not do: some of its modules set their own
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False}
    return context


def _chosen(table: pl.DataFrame, where: Mapping[str, str]) -> pl.DataFrame:
    """The rows that ``where`` chooses, and their positions."""
    numbered = table.with_row_index(POSITION)
    return numbered.filter(pl.col(column) == value for column, value in where.items()) if where else numbered


def _batch(context: Any, name: str, table: pl.DataFrame, expectations: Sequence[Any]) -> Any:
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    frame = _frame(table, expectations)
    return asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})


def _ask(batch: Any, expectations: Sequence[Any]) -> dict[str, Any]:
    """Great Expectations' answers by the names of the checks; it gives them in an order of its own."""
    suite = gx.ExpectationSuite(name="suite")
    for expectation in expectations:
        suite.add_expectation(expectation)
    answers = batch.validate(suite, result_format=NUMBERS_ONLY)
    return {answer.expectation_config.meta["name"]: answer for answer in answers.results}


def _frame(table: pl.DataFrame, expectations: Sequence[Any]) -> pd.DataFrame:
    """The columns that are asked about: Great Expectations hashes and copies whatever it gets."""
    named = (getattr(expectation, argument, None) for expectation in expectations for argument in COLUMN_ARGUMENTS)
    wanted = {column for value in named if value for column in (value if isinstance(value, list) else [value])}
    columns = [column for column in table.columns if column in wanted] or table.columns[1:2]
    frame = table.select(columns).to_pandas()
    frame.index = pd.Index(table[POSITION].to_numpy())
    for column in frame.select_dtypes("category"):
        frame[column] = frame[column].cat.remove_unused_categories()
    return frame


def _verdict(check: Check, answer: Any, about: pl.DataFrame) -> Verdict:
    observed = _observed(check, answer.result)
    rows = _broken_by(check, answer.result, about)
    return Verdict(
        name=check.name,
        level=check.level,
        description=check.description,
        success=bool(answer.success),
        observed=observed,
        unit="offenders" if check.own and rows is not None else check.unit,
        rows=rows,
        share=None if rows is None or not about.height else rows / about.height,
        note=_names(check, about) or _note(observed, answer),
        expectation=str(answer.expectation_config.type),
        arguments=dict(check.arguments),
        where=dict(check.where),
        own=check.own,
        offenders=[],
    )


def _broken_by(check: Check, result: Mapping[str, Any], about: pl.DataFrame) -> int | None:
    """How many rows break it; None where it is not about single rows."""
    if check.own:
        count = result.get("unexpected_count") if by_row(check.expectation) else None
        return None if count is None else int(count)
    if check.offenders is None or check.batch not in ("whole", "labels"):
        return None
    return int(about.select(check.offenders.sum()).item() or 0)


def _first(check: Check, rows: int, about: pl.DataFrame, batch: Any, expectation: Any) -> list[int]:
    """The positions of the first rows that break it."""
    if check.offenders is not None:
        return about.select(check.offenders.arg_true().head(EXAMPLES)).to_series().to_list()
    if not check.own or rows > MANY:
        return []
    answer = batch.validate(expectation, result_format=PLACES_ONLY)
    return [int(place) for place in answer.result.get("unexpected_index_list", ())[:EXAMPLES]]


def _names(check: Check, about: pl.DataFrame) -> str:
    """What breaks a check that is about named things."""
    if check.offenders is None or check.batch not in NAMED:
        return ""
    return ", ".join(about.drop(POSITION).filter(check.offenders).to_series()[:EXAMPLES])


def _observed(check: Check, result: Mapping[str, Any]) -> float | None:
    """The one number in an answer: a count or a measure."""
    value = result.get("unexpected_count", result.get("observed_value"))
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(float(value)):
        return None
    whole = float(value).is_integer() and check.unit not in ("share", "change")
    return int(float(value)) if whole else round(float(value), 6)


def _note(observed: float | None, answer: Any) -> str:
    """Why nothing was observed. An exception's own message is not repeated: it may quote values."""
    if observed is not None:
        return ""
    exception = answer.exception_info
    failed = any(info.get("raised_exception") for info in (exception, *exception.values()) if isinstance(info, dict))
    if failed:
        return "it could not be evaluated"
    return "there was nothing to measure" if answer.result.get("observed_value") is None else "not a single number"
