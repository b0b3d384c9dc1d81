"""Holds measured columns against the suite of expectations: Great Expectations in memory, silent and offline.

Of what Great Expectations answers only numbers are kept, never a value of a row, so that no text and no run id or
time can reach the reports.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import pandas as pd
import polars as pl

from wenhuo.quality.expectations import Check, Level, Unit
from wenhuo.quality.measures import PLACE

EXAMPLES = 20  # offenders named per expectation: enough to see a pattern, few enough to read
NUMBERS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "exclude_unexpected_values": True}


@dataclass(frozen=True)
class Verdict:
    """What came of one expectation.

    Attributes:
        name: as in :class:`~wenhuo.quality.expectations.Check`, like ``level``, ``description`` and ``unit``.
        success: was it met?
        observed: the measured number in ``unit``; None when there was nothing to measure.
        rows: how many rows break it; None where it is not about single rows.
        share: ``rows`` as a share of all rows, 0 to 1.
        limits: the arguments it was given: least, most.
        note: why there is nothing observed, or the fields or declared labels that are unfit or unused; else empty.
        expectation: the name of the Great Expectations expectation.
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
    limits: dict[str, float]
    note: str
    expectation: str
    offenders: list[dict[str, Any]]


def hold(table: pl.DataFrame, fields: pl.DataFrame, declared: pl.DataFrame, checks: Sequence[Check]) -> list[Verdict]:
    """Hold a corpus against the suite.

    Args:
        table: as :func:`wenhuo.quality.measures.measure` gives it, one row a row of the corpus.
        fields: as :func:`wenhuo.quality.measures.measure_fields` gives them.
        declared: as :func:`wenhuo.quality.measures.measure_declared` gives them.
        checks: the suite.

    Returns:
        One verdict a check, in order.
    """
    context = _quiet_context()
    batches = {"rows": table, "fields": fields, "declared": declared}
    answers: dict[str, Any] = {}
    for batch, frame in batches.items():
        seen = frame.drop("origin", "row", "key", strict=False).to_pandas()
        answers |= _ask(context, batch, seen, [check for check in checks if check.batch == batch])
    return [_verdict(check, answers[check.name], batches[check.batch]) for check in checks]


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


def _ask(context: Any, name: str, frame: pd.DataFrame, checks: Sequence[Check]) -> dict[str, Any]:
    """Great Expectations' answers by the names of the checks; it gives them in an order of its own."""
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name=name)
    for check in checks:
        suite.add_expectation(check.expectation.copy(update={"meta": {"name": check.name}}))
    answers = batch.validate(suite, result_format=NUMBERS_ONLY)
    return {answer.expectation_config.meta["name"]: answer for answer in answers.results}


def _verdict(check: Check, answer: Any, batch: pl.DataFrame) -> Verdict:
    observed = _observed(check, answer.result)
    breaking = None if check.offenders is None else batch.filter(check.offenders)
    rows = breaking.height if breaking is not None and check.batch == "rows" else None
    return Verdict(
        name=check.name,
        level=check.level,
        description=check.description,
        success=bool(answer.success),
        observed=observed,
        unit=check.unit,
        rows=rows,
        share=None if rows is None or not batch.height else rows / batch.height,
        limits=_limits(check.expectation),
        note=_note(observed, answer.exception_info) if rows is not None or breaking is None else _names(breaking),
        expectation=str(answer.expectation_config.type),
        offenders=[]
        if not rows or answer.success or breaking is None
        else breaking.select(PLACE)[:EXAMPLES].to_dicts(),
    )


def _names(breaking: pl.DataFrame) -> str:
    """The first column of a batch of fields or declared labels: their names."""
    return ", ".join(breaking.to_series()[:EXAMPLES])


def _observed(check: Check, result: Mapping[str, Any]) -> float | None:
    """The one number in an answer: a count or a measure."""
    value = result.get("unexpected_count", result.get("observed_value"))
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() and check.unit != "share" else round(float(value), 6)


def _note(observed: float | None, exception: Mapping[str, Any]) -> str:
    """Why nothing was observed. An exception's own message is not repeated: it may quote values."""
    if observed is not None:
        return ""
    failed = any(info.get("raised_exception") for info in (exception, *exception.values()) if isinstance(info, dict))
    return "it could not be evaluated" if failed else "there was nothing to measure"


def _limits(expectation: Any) -> dict[str, float]:
    pairs = (("least", getattr(expectation, "min_value", None)), ("most", getattr(expectation, "max_value", None)))
    return {name: value for name, value in pairs if value is not None}
