"""How far a data version has moved from the one before it: figures, and what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from wenhuo.validation.expectations import Batch, Check, Unit
from wenhuo.validation.limits import Drift
from wenhuo.validation.scan import Counts
from wenhuo.validation.versions import Version, decode_alphabet

CHARACTERS_SHOWN = 60  # new characters that are named, the most frequent first
EACH = "expect_column_values_to_be_between"


def drift_checks(limits: Drift) -> list[Check]:
    """What is expected of the step from one version to the next; all are warnings unless a person says otherwise."""
    lost, gained = limits.max_rows_lost, limits.max_rows_gained
    rows = {"min_value": -lost, "max_value": gained}
    kept = f"at most {lost:.0%} fewer rows and at most {gained:.0%} more than the previous version"
    change = pl.col("change")
    strayed = (change < -lost) | (change > gained)
    labels, lengths, new = limits.max_label_shift, limits.max_length_shift, limits.max_new_characters
    return [
        Check(
            "drift_rows",
            "warning",
            f"There are {kept}.",
            "expect_column_sum_to_be_between",
            {"column": "rows_change", **rows},
            "change",
            batch="drift",
        ),
        _each("drift_splits", f"Each split has {kept}.", "splits", rows, strayed),
        _each("drift_sources", f"Each source has {kept}.", "sources", rows, strayed),
        _most(
            "drift_labels", f"At most {labels:.1%} of the rows would have to change their label.", "label_shift", labels
        ),
        _still("drift_new_labels", "No label is new.", "before", "new labels"),
        _still("drift_lost_labels", "No label is gone.", "now", "lost labels"),
        _most(
            "drift_lengths",
            f"The texts are as long as they were, up to a Kolmogorov-Smirnov distance of {lengths:.1%}.",
            "length_shift",
            lengths,
        ),
        _most(
            "drift_characters",
            f"Of all characters at most {new:.2%} are ones that the previous version lacks.",
            "new_characters",
            new,
        ),
    ]


def _each(name: str, description: str, batch: Batch, limits: Mapping[str, float], strayed: pl.Expr) -> Check:
    unit: Unit = "strayed splits" if batch == "splits" else "strayed sources"
    return Check(name, "warning", description, EACH, {"column": "change", **limits}, unit, strayed, batch)


def _most(name: str, description: str, column: str, most: float) -> Check:
    arguments = {"column": column, "max_value": most}
    return Check(name, "warning", description, "expect_column_max_to_be_between", arguments, "share", batch="drift")


def _still(name: str, description: str, column: str, unit: Unit) -> Check:
    arguments = {"column": column, "min_value": 1}
    return Check(name, "warning", description, EACH, arguments, unit, pl.col(column) == 0, "label_changes")


def compare(before: Version, now: Version, characters: Counts) -> dict[str, Any]:
    """The figures of the step from one version to the next, in values that JSON holds.

    Args:
        before: the previous version.
        now: this one.
        characters: how often each character occurs now, by code point.

    Returns:
        ``rows``, ``splits``, ``sources``, ``labels`` (name, before, now, change; labels None where they are not known),
        ``label_shift`` (total variation distance, 0 to 1), ``length_shift`` (Kolmogorov-Smirnov distance of the binned
        lengths, 0 to 1), ``quantiles``, ``lengths`` (bins of both) and ``new_characters``.
    """
    known = before.labels is not None and now.labels is not None
    labels = _parts(before.labels or {}, now.labels or {}) if known else None
    return {
        "rows": _part("all", before.rows["all"], now.rows["all"]),
        "splits": _parts(*({k: v for k, v in one.rows.items() if k != "all"} for one in (before, now))),
        "sources": _parts(before.sources, now.sources),
        "labels": labels,
        "label_shift": None if labels is None else _total_variation(labels),
        "length_shift": _kolmogorov_smirnov(before.lengths, now.lengths),
        "quantiles": {"before": before.quantiles, "now": now.quantiles},
        "lengths": {"before": before.lengths, "now": now.lengths},
        "new_characters": _new_characters(before.alphabet, characters),
    }


def drift_batches(changes: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """The tables that the checks are about; none of labels where they are not known."""
    grown = changes["rows"]["change"]
    figures = {
        "rows_change": float("inf") if grown is None else grown,
        "label_shift": changes["label_shift"],
        "length_shift": changes["length_shift"],
        "new_characters": changes["new_characters"]["share"],
    }
    batches = {"drift": pl.DataFrame({name: value for name, value in figures.items() if value is not None})}
    batches |= {kind: _table(changes[kind]) for kind in ("splits", "sources")}
    if changes["labels"] is not None:
        batches["label_changes"] = _table(changes["labels"])
    return batches


def _table(parts: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """What is new has grown without bound."""
    schema = {"name": pl.String, "before": pl.Int64, "now": pl.Int64, "change": pl.Float64}
    return pl.DataFrame(list(parts), schema=schema).with_columns(pl.col("change").fill_null(float("inf")))


def _parts(before: Mapping[str, int], now: Mapping[str, int]) -> list[dict[str, Any]]:
    """Both versions' rows of each split, source or label, those of now first."""
    names = [*now, *(name for name in before if name not in now)]
    return [_part(name, before.get(name, 0), now.get(name, 0)) for name in names]


def _part(name: str, before: int, now: int) -> dict[str, Any]:
    change = round(now / before - 1, 6) if before else None if now else 0.0
    return {"name": name, "before": before, "now": now, "change": change}


def _total_variation(labels: Sequence[Mapping[str, Any]]) -> float | None:
    """Half the sum of what the labels' shares have changed by: the share of rows that would have to change label."""
    before, now = (sum(label[which] for label in labels) for which in ("before", "now"))
    if not before or not now:
        return None
    return round(float(sum(abs(label["before"] / before - label["now"] / now) for label in labels)) / 2, 6)


def _kolmogorov_smirnov(before: Mapping[str, int], now: Mapping[str, int]) -> float | None:
    """The largest difference of the two cumulative shares at the edges of the bins; both have the same bins."""
    edges = sorted({int(edge) for edge in (*before, *now)})
    totals = [sum(before.values()), sum(now.values())]
    if not all(totals):
        return None
    rows = np.array([[one.get(str(edge), 0) for edge in edges] for one in (before, now)], dtype=np.float64)
    cumulative = np.cumsum(rows, axis=1) / np.array(totals)[:, None]
    return round(float(np.abs(cumulative[0] - cumulative[1]).max()), 6)


def _new_characters(alphabet: str, characters: Counts) -> dict[str, Any]:
    """The share of all characters that are new ones, how many different ones, and the most frequent of them."""
    fresh = characters.copy()
    fresh[decode_alphabet(alphabet)] = 0
    codes = np.flatnonzero(fresh)
    most = codes[np.argsort(-fresh[codes], kind="stable")][:CHARACTERS_SHOWN]
    total = int(characters.sum())
    return {
        "share": round(int(fresh.sum()) / total, 8) if total else None,
        "number": len(codes),
        "most": [{"code": f"U+{code:04X}", "character": chr(code), "times": int(fresh[code])} for code in most],
    }
