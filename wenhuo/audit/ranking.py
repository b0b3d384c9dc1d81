"""Which labels are suspect, by cleanlab: confident learning (Northcutt, Jiang & Chuang 2021, JAIR 70).

A row is flagged when another label than its own is likely beyond that label's own average confidence. On ChnSentiCorp
with 757 of 7,578 labels flipped that flags about 750 rows; pruning by the noise rate flags 1,060, and to flag all rows
whose likeliest label is another one 1,470. Rows are ranked by the probability of the label they were given: margins and
weighted entropy are the same for two classes and put fewer flips first for ten (0.81 and 0.83 against 0.86).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wenhuo.audit.probabilities import Classes, Probabilities


@dataclass(frozen=True)
class Judged:
    """What is thought of each row's label, all of shape (n,).

    Attributes:
        own: the probability of the label as given; the lower, the more suspect.
        suggested: the likeliest label.
        confidence: its probability.
        flagged: whether the label is thought to be wrong.
    """

    own: npt.NDArray[np.float64]
    suggested: Classes
    confidence: npt.NDArray[np.float64]
    flagged: npt.NDArray[np.bool_]


def judge(classes: Classes, probabilities: Probabilities) -> Judged:
    """Judge labels as given, shape (n,), by probabilities of models that did not see them, shape (n, labels).

    With labels of one class only, nothing is flagged: confident learning compares classes.
    """
    from cleanlab.rank import get_label_quality_scores

    suggested = probabilities.argmax(axis=1).astype(np.int32)
    own = np.zeros(0)
    if len(classes):
        own = np.asarray(get_label_quality_scores(classes, probabilities, method="self_confidence"))
    return Judged(own, suggested, probabilities.max(axis=1, initial=0), _flagged(classes, probabilities))


def _flagged(classes: Classes, probabilities: Probabilities) -> npt.NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    if len(np.unique(classes)) < 2:
        return np.zeros(len(classes), dtype=bool)
    # One job: cleanlab would fork a pool of processes, which gains nothing here and may hang beside threads.
    flagged = find_label_issues(classes, probabilities, filter_by="confident_learning", n_jobs=1, verbose=False)
    return np.asarray(flagged, dtype=bool)
