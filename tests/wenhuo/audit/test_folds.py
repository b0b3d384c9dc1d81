import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.audit.folds import assign, grouped

ROWS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=120)


@given(ROWS, st.randoms())
def test_groups_stay_together_and_the_order_changes_nothing(rows, draw):
    folds = assign(pl.Series([f"g{group}" for group, _ in rows]), np.array([label for _, label in rows]), 5)
    by_group = {}
    for (group, _), fold in zip(rows, folds, strict=True):
        by_group.setdefault(group, set()).add(int(fold))
    assert all(len(found) == 1 for found in by_group.values())
    order = list(range(len(rows)))
    draw.shuffle(order)
    again = assign(pl.Series([f"g{rows[i][0]}" for i in order]), np.array([rows[i][1] for i in order]), 5)
    assert again.tolist() == [int(folds[i]) for i in order]


def test_every_fold_has_its_share_of_each_label():
    labels = np.array([0] * 100 + [1] * 50 + [2] * 3)
    folds = assign(pl.Series([f"text {number}" for number in range(153)]), labels, 5)
    assert np.bincount(folds[labels == 0]).tolist() == [20] * 5
    assert np.bincount(folds[labels == 1]).tolist() == [10] * 5
    assert len(set(folds[labels == 2])) == 3


def test_a_group_is_a_cluster_or_a_text():
    rows = pl.DataFrame({"text": ["好 书", "好书", "好书啊", "坏"], "cluster": [None, None, "a", "a"]})
    assert grouped(rows).to_list() == ["好书", "好书", "a", "a"]
    assert grouped(rows.drop("cluster")).to_list() == ["好书", "好书", "好书啊", "坏"]
    assert grouped(rows.with_columns(cluster=pl.lit(None))).to_list()[3] == "坏"
