from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.sifting import gathering
from wenhuo.sifting.gathering import Groups, portions
from wenhuo.tables import ahead


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("groups") / "numbers.parquet"
    pl.DataFrame({"n": range(100)}).write_parquet(path, row_group_size=7, use_pyarrow=True)
    return path


@given(st.lists(st.integers(0, 99), min_size=1, max_size=150))
def test_rows_come_in_the_order_asked_for(numbers: Path, places: list[int]) -> None:
    with Groups(numbers, ["n"]) as groups:
        assert groups.take(np.array(places))["n"].to_list() == places


@given(st.lists(st.integers(0, 40), max_size=60))
def test_portions_are_bounded_and_leave_nothing_out(sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "PORTION_ROWS", 8)
        patch.setattr(gathering, "PORTION_BYTES", 50)
        found = list(portions(np.array(sizes, dtype=np.int64)))
    assert [number for part in found for number in range(part.start, part.stop)] == list(range(len(sizes)))
    for part in found:
        assert part.stop - part.start <= 8
        assert sum(sizes[part]) <= 50 or part.stop - part.start == 1


def test_what_is_made_ahead_comes_in_order_and_errors_come_through() -> None:
    def broken() -> object:
        yield 1
        raise ValueError("no more")

    assert list(ahead(iter(range(5)))) == list(range(5))
    with pytest.raises(ValueError, match="no more"):
        list(ahead(broken()))  # type: ignore[arg-type]
