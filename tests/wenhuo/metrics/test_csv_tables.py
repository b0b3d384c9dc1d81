import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.metrics.tables import FORMULA_STARTS, confusion_counts, safe, surest_errors, write_table


@given(st.text())
def test_no_cell_starts_a_formula_and_no_text_is_lost(text):
    cell = safe(text)
    assert not cell.startswith(FORMULA_STARTS)
    assert cell in (text, f"'{text}")


@pytest.mark.parametrize("text", ["=SUM(A1)", "+1", "-1", "@x", "\tx", "＝1"])
def test_formulas_are_disarmed(text):
    assert safe(text) == f"'{text}"


def test_a_table_reads_back_whatever_its_cells_hold(tmp_path):
    rows = [("=1+1", '她说:"好",\n真的', 0.123456789), ("𠮷", "\u2028\ttab", None)]
    write_table(tmp_path / "t.csv", ("a", "b", "c"), rows, mark=True)
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.reader(file))
    assert read == [["a", "b", "c"], ["'=1+1", '她说:"好",\n真的', "0.123457"], ["𠮷", "\u2028\ttab", ""]]


def test_the_surest_errors_come_first_and_ids_decide_between_equals():
    truth = np.array([0, 0, 0, 1, 0])
    probabilities = np.array([[0.1, 0.9], [0.9, 0.1], [0.4, 0.6], [0.9, 0.1], [0.3, 0.7]])
    assert surest_errors(truth, probabilities, ["b", "x", "c", "a", "d"], 3) == [3, 0, 4]
    assert surest_errors(truth, probabilities, ["b", "x", "c", "a", "d"], 0) == []


def test_confusion_counts():
    found = confusion_counts(np.array([0, 0, 1]), np.array([0, 2, 1]), 3)
    assert found.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
