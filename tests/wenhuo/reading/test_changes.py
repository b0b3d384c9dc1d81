"""What a new version of a corpus changes, counted on planted changes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wenhuo.reading import corpus
from wenhuo.reading.changes import compare, compare_files, summary
from wenhuo.reading.corpus import CorpusWriter
from wenhuo.reading.narrow import UNNAMED
from wenhuo.reading.records import Chunk

ROOT = Path(__file__).resolve().parents[3]
Row = tuple[str, str, str | None, str]
"""Text, label, split, source."""


def _write(path: Path, rows: list[Row]) -> Path:
    with CorpusWriter(path, {}) as writer:
        for number, (text, label, split, source) in enumerate(rows):
            writer.add(Chunk([text], [label], [number]), split, "file", source)
    return path


def _compare(folder: Path, before: list[Row], after: list[Row]) -> dict[str, Any]:
    return compare(_write(folder / "before", before), _write(folder / "after", after), {}, {})


BASE: list[Row] = [(f"第{n}条", str(n % 3), ("train", "test", None)[n % 3], "甲乙"[n % 2]) for n in range(60)]


def test_planted_changes_are_counted_by_source_and_split(tmp_path: Path) -> None:
    after = [*BASE]
    after[0] = ("第0条", "9", "train", "甲")  # another label
    after[3] = ("第3条", "9", "train", "乙")
    after[6] = ("第6条", "0", "test", "甲")  # in another split
    del after[40:42]
    after += [("新的", "1", "test", "丙"), ("第1条", "1", "test", "乙")]  # a text, and a second copy of a row
    found = _compare(tmp_path, BASE, after[::-1])
    assert found["rows"] == {"before": 60, "now": 60}
    assert [found[kind] for kind in ("added", "removed", "relabelled", "moved")] == [2, 2, 2, 1]
    assert found["labels"] == [{"from": "0", "to": "9", "rows": 2}]
    none = {"added": 0, "removed": 0, "relabelled": 0, "moved": 0}
    assert found["by_split"] == [
        {"source": "丙", "split": "test"} | none | {"added": 1},
        {"source": "乙", "split": "test"} | none | {"added": 1},
        {"source": "乙", "split": "train"} | none | {"relabelled": 1},
        {"source": "乙", "split": "undivided"} | none | {"removed": 1},
        {"source": "甲", "split": "test"} | none | {"removed": 1, "moved": 1},
        {"source": "甲", "split": "train"} | none | {"relabelled": 1},
    ]
    assert summary({"unknown": None, **found, "files": {"added": ["a"], "removed": [], "changed": ["b", "c"]}}) == (
        "since the last version: rows 2 added, 2 removed, 2 with another label, 1 in another split or source; "
        "files 1 added, 2 changed"
    )


def test_the_same_rows_change_nothing(tmp_path: Path) -> None:
    found = _compare(tmp_path, BASE, BASE[::-1])
    assert found["by_split"] == found["labels"] == []
    assert summary({"unknown": None, **found}) == "since the last version: rows as before"


ROWS = st.lists(
    st.tuples(st.sampled_from("一二三四"), st.sampled_from("01"), st.sampled_from(["train", None]), st.just("s")),
    max_size=30,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ROWS, after=ROWS, rows_a_group=st.integers(1, 40))
def test_counts_add_up_whatever_the_rows(
    tmp_path: Path, before: list[Row], after: list[Row], rows_a_group: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "BATCH_ROWS", rows_a_group)
        found = _compare(tmp_path, before, after)
    assert len(after) - len(before) == found["added"] - found["removed"]
    stay = len(before) - found["removed"] - found["relabelled"]
    assert 0 <= found["moved"] <= stay
    both = {text: (sum(r[0] == text for r in before), sum(r[0] == text for r in after)) for text in "一二三四"}
    assert found["added"] == sum(max(0, b - a) for a, b in both.values()), "a row with a known text is no new one"
    assert found["removed"] == sum(max(0, a - b) for a, b in both.values())


def test_a_corpus_from_before_sources_had_names(tmp_path: Path) -> None:
    before, after = _write(tmp_path / "a", BASE), _write(tmp_path / "b", BASE[1:])
    pq.write_table(pq.read_table(before).drop_columns(["source"]), before)
    found = compare(before, after, None, {})
    assert (found["added"], found["removed"], found["moved"], found["files"]) == (0, 1, 0, None)
    assert found["by_split"][0]["source"] == UNNAMED


def test_files_by_source_and_version() -> None:
    def fingerprint(**files: str) -> dict[str, Any]:
        return {"sources": [{"name": "甲", "files": [{"path": p, "version": v} for p, v in files.items()]}]}

    found = compare_files(fingerprint(a="1", b="1", c="1"), fingerprint(b="2", c="1", d="1"))
    assert found == {"added": ["甲: d"], "removed": ["甲: a"], "changed": ["甲: b"]}


def test_it_costs_no_import_of_pandas(tmp_path: Path) -> None:
    _write(tmp_path / "a", BASE), _write(tmp_path / "b", BASE[5:])
    code = (
        "import sys; from pathlib import Path; from wenhuo.reading.changes import compare\n"
        "print(compare(Path(sys.argv[1]), Path(sys.argv[2]), {}, {})['removed'], 'pandas' in sys.modules)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "a"), str(tmp_path / "b")]
    ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["5", "False"]
