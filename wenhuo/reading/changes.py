"""What a new version of a corpus changes: rows added, removed, with another label or in another split; and files.

Rows are told apart by their ids, of which eight bytes are held (that any two of 5 million agree in these has a chance
below one in a million), with a code for source and split; texts are hashed only in row groups with an added or a
removed row. So a row costs twenty bytes, and sixteen more where it differs; a million rows take a second or two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wenhuo.reading.narrow import UNNAMED, Codes, Keys, Place, codes, id_keys, place_codes, row_groups, text_keys

MOST_PAIRS = 100
KINDS = ("added", "removed", "relabelled", "moved")

_ODD = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's bits, so that ranks spread over all keys


@dataclass
class Names:
    """Codes for places and labels, the same for both versions."""

    places: dict[Place, int]
    labels: dict[str, int]


@dataclass
class Rows:
    """Some rows as far as they are compared: sorted keys (of ids or texts), where each stands, and its label."""

    keys: Keys
    places: Codes
    labels: Codes


def compare(before: Path, after: Path, files_before: Mapping[str, Any] | None, files_after: Any) -> dict[str, Any]:
    """What changed between two versions of a corpus.

    Args:
        before: the corpus as it was.
        after: the corpus as it is.
        files_before: the fingerprint of its sources then, where it is known.
        files_after: the fingerprint now.

    Returns:
        ``rows`` (``before``, ``now``); ``added``, ``removed``, ``relabelled`` (same text, another label) and ``moved``
        (same row, another split or source) in all; the same ``by_split`` for each source and split; ``labels``: how
        often which label became which; ``files``: those added, removed and changed, or None.
    """
    names = Names({}, {})
    (old, old_groups), (new, new_groups) = _load(before, names), _load(after, names)
    gone = _differing(before, old_groups, new.keys, names)
    came = _differing(after, new_groups, old.keys, names)
    lost, found = _pairs(gone.keys, came.keys)
    counts = {
        "added": _counted(np.delete(came.places, found)),
        "removed": _counted(np.delete(gone.places, lost)),
        "relabelled": _counted(came.places[found]),
        "moved": _counted(_moved(old, new, names)),
    }
    labels = list(names.labels)
    pairs = Counter(zip(gone.labels[lost].tolist(), came.labels[found].tolist(), strict=True))
    return {
        "rows": {"before": len(old.keys), "now": len(new.keys)},
        **{kind: counts[kind].total() for kind in KINDS},
        "by_split": _by_split(counts, list(names.places)),
        "labels": _largest({(labels[a], labels[b]): count for (a, b), count in pairs.items()}),
        "files": compare_files(files_before, files_after) if files_before is not None else None,
    }


def compare_files(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """The files added, removed and changed between two fingerprints, as ``source: file``."""
    old, new = _versions(before), _versions(after)
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
    }


def summary(changes: Mapping[str, Any]) -> str:
    """The changes in one line for a person."""
    if changes["unknown"]:
        return f"since the last version: nothing known ({changes['unknown']})"
    words = {
        "added": "added",
        "removed": "removed",
        "relabelled": "with another label",
        "moved": "in another split or source",
    }
    rows = [f"{changes[kind]:,} {said}" for kind, said in words.items() if changes[kind]]
    files = [f"{len(names)} {kind}" for kind, names in (changes["files"] or {}).items() if names]
    said = f"rows {', '.join(rows) or 'as before'}" + (f"; files {', '.join(files)}" if files else "")
    return f"since the last version: {said}"


def _versions(fingerprint: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"{source.get('name', UNNAMED)}: {file['path']}": str(file["version"])
        for source in fingerprint.get("sources", [fingerprint])
        for file in [*source.get("files", ()), source.get("label_names")]
        if file
    }


def _load(path: Path, names: Names) -> tuple[Rows, list[Keys]]:
    """All rows of a corpus, and their keys as they stand in its row groups."""
    keys: list[Keys] = []
    places: list[Codes] = []
    for table in row_groups(path, ("id", "split", "source")):
        keys.append(id_keys(table.column("id")))
        places.append(place_codes(table, names.places))
    return _sorted(keys, places, []), keys


def _differing(path: Path, groups: list[Keys], others: Keys, names: Names) -> Rows:
    """The rows of a corpus whose ids are not among the other's, by their texts."""
    keys: list[Keys] = []
    places: list[Codes] = []
    labels: list[Codes] = []
    for number, ids in enumerate(groups):
        missing = np.flatnonzero(~_among(ids, others))
        if len(missing):
            table = next(row_groups(path, ("text", "label", "split", "source"), number))
            keys.append(text_keys(table.column("text"))[missing])
            places.append(place_codes(table, names.places)[missing])
            labels.append(codes(table.column("label"), names.labels)[missing])
    return _sorted(keys, places, labels)


def _sorted(keys: list[Keys], places: list[Codes], labels: list[Codes]) -> Rows:
    none = np.empty(0, np.int32)
    joined = np.concatenate(keys) if keys else np.empty(0, np.uint64)
    order = np.argsort(joined, kind="stable")
    return Rows(
        joined[order], np.concatenate([none, *places])[order], np.concatenate(labels)[order] if labels else none
    )


def _pairs(gone: Keys, came: Keys) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Places in both where the same text stands; the second row of a text goes with the second, and so on."""
    _, lost, found = np.intersect1d(_ranked(gone), _ranked(came), assume_unique=True, return_indices=True)
    return lost, found


def _ranked(keys: Keys) -> Keys:
    """Sorted keys, changed so that the second of equal ones differs from the first."""
    ranks = np.arange(len(keys)) - np.searchsorted(keys, keys, side="left")
    ranked: Keys = keys + ranks.astype(np.uint64) * _ODD
    return ranked


def _moved(old: Rows, new: Rows, names: Names) -> Codes:
    """Where the rows of both versions stand now that stood elsewhere before; sources without names are not compared."""
    if not len(old.keys):
        return np.empty(0, np.int32)
    at = np.minimum(np.searchsorted(old.keys, new.keys), len(old.keys) - 1)
    unnamed = any(source == UNNAMED for source, _ in names.places)
    alike = [split if unnamed else (source, split) for source, split in names.places]
    canonical = np.array([alike.index(place) for place in alike], dtype=np.int32)
    moved = (old.keys[at] == new.keys) & (canonical[old.places[at]] != canonical[new.places])
    found: Codes = new.places[moved]
    return found


def _among(keys: Keys, ordered: Keys) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which keys are among sorted others; asked in order, which is five times as fast as at random."""
    found = np.zeros(len(keys), dtype=np.bool_)
    if len(ordered):
        order = np.argsort(keys)
        asked = keys[order]
        found[order] = ordered[np.minimum(np.searchsorted(ordered, asked), len(ordered) - 1)] == asked
    return found


def _counted(places: Codes) -> Counter[int]:
    return Counter(dict(enumerate(np.bincount(places).tolist()))) if len(places) else Counter()


def _by_split(counts: Mapping[str, Counter[int]], places: list[Place]) -> list[dict[str, Any]]:
    rows = [
        {"source": source, "split": split} | {kind: counts[kind][code] for kind in KINDS}
        for code, (source, split) in enumerate(places)
        if any(counts[kind][code] for kind in KINDS)
    ]
    return sorted(rows, key=lambda row: (row["source"], row["split"]))


def _largest(pairs: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:MOST_PAIRS]
    return [{"from": before, "to": after, "rows": rows} for (before, after), rows in ordered]
