"""Near-copies planted in made texts: benchmarks/near_duplicates.py does the same at size."""

from pathlib import Path

import polars as pl
import pytest

from benchmarks.planted_copies import agreement, made_texts, pairs_of, plant, recalls
from wenhuo.near.options import NearDuplicates
from wenhuo.near.search import find


@pytest.mark.slow
def test_planted_copies_are_found_and_nothing_else(tmp_path: Path) -> None:
    texts, copies = plant(made_texts(4000), 400)
    found = pairs_of(find([pl.Series(texts)], NearDuplicates(), tmp_path).cluster.tolist())
    result = agreement(found, copies)
    assert result["recall"] >= 0.95
    assert result["precision"] >= 0.99
    by = recalls(found, copies)
    assert by["edits"]["0"][1] == by["edits"]["1"][1] == 1
    assert by["length"]["80 and more"][1] == 1
