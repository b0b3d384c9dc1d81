"""The verdict on models that are better, worse, equal or sick: each case and its reason; and how often luck wins."""

import numpy as np
import pytest

from wenhuo.gate.checks import Rows, compare
from wenhuo.gate.frozen import digests, freeze, keep
from wenhuo.gate.options import Comparison, Floors, Gate, Limits, Slices
from wenhuo.gate.verdict import Champion, Evidence, data_are_sound, decide, refuse

LABELS = ["差", "中", "好"]
N = 900


@pytest.fixture
def truth():
    return np.random.default_rng(0).integers(len(LABELS), size=N)


def saying(truth, wrong, seed=1):
    """Predictions of which a share is wrong."""
    draw = np.random.default_rng(seed)
    away = (truth + draw.integers(1, len(LABELS), size=len(truth))) % len(LABELS)
    return np.where(draw.random(len(truth)) < wrong, away, truth)


def sure(predicted, confidence=0.9):
    """Probabilities that go with predictions."""
    rest = (1 - confidence) / (len(LABELS) - 1)
    found = np.full((len(predicted), len(LABELS)), rest)
    found[np.arange(len(predicted)), predicted] = confidence
    return found


def evidence(truth, ours, champion=None, *, linear=None, slices=None, confidence=0.9, **more):
    rows = Rows(truth, LABELS, slices or {})
    return Evidence(rows, sure(ours, confidence), champion=champion, linear=linear,
                    **({"megabytes": 1.0, "milliseconds": 1.0} | more))  # fmt: skip


def old(predicted):
    return Champion("version 3", predicted)


def losing_a_class(truth):
    """Nearly all right, but most of one class is lost."""
    ours = truth.copy()
    lost = np.flatnonzero(truth == 0)[: int(0.9 * (truth == 0).sum())]
    ours[lost] = 1
    return ours


CASES = {
    "better": (lambda t: evidence(t, saying(t, 0.05), old(saying(t, 0.2))), "promoted", "it beats version 3"),
    "worse": (lambda t: evidence(t, saying(t, 0.2), old(saying(t, 0.05))), "challenger", "worse than version 3"),
    "the same": (lambda t: evidence(t, saying(t, 0.1), old(saying(t, 0.1))), "challenger", "a tie keeps the champion"),
    "equal within chance": (
        lambda t: evidence(t, saying(t, 0.1, 1), old(saying(t, 0.1, 2))), "challenger", "a tie keeps the champion"),
    "better on average, but one class below its floor": (
        lambda t: evidence(t, losing_a_class(t), old(saying(t, 0.6))), "challenger", "差 has F1 0.1"),
    "worse than linear": (
        lambda t: evidence(t, saying(t, 0.2), old(saying(t, 0.5)), linear=("linear", saying(t, 0.02))),
        "refused", "worse than the linear baseline linear"),
    "worse than linear, without a champion": (
        lambda t: evidence(t, saying(t, 0.2), linear=("linear", saying(t, 0.02))), "refused", "worse than the linear"),
    "as good as linear": (
        lambda t: evidence(t, saying(t, 0.1, 1), linear=("linear", saying(t, 0.1, 2))), "promoted", "first champion"),
    "no champion": (lambda t: evidence(t, saying(t, 0.1)), "promoted", "it is the first champion"),
    "no champion, and sick": (
        lambda t: evidence(t, losing_a_class(t)), "challenger", "below its floor of 0.3"),
    "champion's files damaged": (
        lambda t: evidence(t, saying(t, 0.05), Champion("version 3", None, "linear.safetensors is damaged")),
        "challenger", "version 3 stays champion, though it cannot be compared: linear.safetensors is damaged"),
    "too large": (lambda t: evidence(t, saying(t, 0.05), megabytes=2500.0), "challenger", "size in MB, 2500.0"),
    "too slow": (lambda t: evidence(t, saying(t, 0.05), milliseconds=1200.0), "challenger", "milliseconds for one"),
    "badly calibrated": (
        lambda t: evidence(t, saying(t, 0.1), confidence=0.4), "challenger", "the calibration error, 0.5"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_case_has_its_verdict_and_its_reason(case, truth):
    make, verdict, reason = CASES[case]
    found = decide(make(truth), Gate())
    assert found.verdict == verdict
    assert reason in found.reason
    assert "\n" not in found.reason
    failed = [check for check in found.checks if not check.passed]
    assert bool(failed) == (verdict != "promoted")
    assert all(check.reason for check in found.checks)


def test_a_slice_that_falls_keeps_the_champion(truth):
    theirs = saying(truth, 0.3)
    ours, few = truth.copy(), np.arange(N) < 60
    theirs[few] = truth[few]
    ours[:20] = (ours[:20] + 1) % len(LABELS)
    found = decide(evidence(truth, ours, old(theirs), slices={"source a": few, "source b": ~few}), Gate())
    assert found.verdict == "challenger"
    assert "source a: accuracy falls from 1.0000 to 0.6667 (60 rows)" in found.reason
    lenient = Gate(slices=Slices(fall=0.5))
    assert decide(evidence(truth, ours, old(theirs), slices={"source a": few}), lenient).verdict == "promoted"
    tiny = {"source a": np.arange(N) < 20}
    assert decide(evidence(truth, ours, old(theirs), slices=tiny), Gate()).verdict == "promoted", "20 rows are too few"


def test_a_margin_must_be_won_for_sure(truth):
    case = evidence(truth, saying(truth, 0.05), old(saying(truth, 0.15)))
    assert decide(case, Gate(comparison=Comparison(margin=0.05))).verdict == "promoted"
    found = decide(case, Gate(comparison=Comparison(margin=0.15)))
    assert (found.verdict, "less than the margin of 0.15" in found.reason) == ("challenger", True)


def test_linear_must_be_beaten_where_that_is_asked(truth):
    case = evidence(truth, saying(truth, 0.1, 1), linear=("svm", saying(truth, 0.1, 2)))
    asked = {answer: decide(case, Gate(comparison=Comparison(linear=answer))).verdict for answer in ("better", "any")}
    assert asked == {"better": "refused", "any": "promoted"}


def test_floors_of_single_classes(truth):
    ours = saying(truth, 0.1)
    found = decide(evidence(truth, ours), Gate(floors=Floors(labels={"好": 0.99})))
    assert "好 has F1 0.8" in found.reason or "好 has F1 0.9" in found.reason
    assert "below its floor of 0.99" in found.reason
    assert "names 坏" in decide(evidence(truth, ours), Gate(floors=Floors(labels={"坏": 0.1}))).reason
    assert "floor 0.99" in decide(evidence(truth, ours), Gate(floors=Floors(macro_f1=0.99))).reason
    anything = Limits(calibration_error=None, milliseconds=None, megabytes=None)
    assert decide(evidence(truth, ours, megabytes=1e9, milliseconds=1e9), Gate(limits=anything)).verdict == "promoted"


def test_unsound_data_are_refused():
    check = data_are_sound(2)
    assert not check.passed
    assert "validation found 2 errors" in refuse(check.name, check.reason).reason
    assert data_are_sound(0).passed


@pytest.mark.parametrize(
    ("rows", "shares", "wrong"),
    [(40, (0.5, 0.5), 0.2), (150, (0.7, 0.2, 0.1), 0.25), (600, (0.95, 0.05), 0.05), (3000, (0.4, 0.3, 0.3), 0.1)],
)
def test_of_two_hundred_pairs_of_equal_models_luck_promotes_at_most_one_in_twenty(rows, shares, wrong):
    """Two models with the same error rates, which share half of their errors, as two trainings do."""
    draw, labels = np.random.default_rng(13), [str(k) for k in range(len(shares))]
    promoted = 0
    for _ in range(200):
        truth = draw.choice(len(shares), size=rows, p=shares)
        hard = draw.random(rows) < wrong
        said = [
            np.where(
                hard & (draw.random(rows) < 0.5) | (draw.random(rows) < wrong / 2), (truth + 1) % len(shares), truth
            )
            for _ in range(2)
        ]
        case = Evidence(Rows(truth, labels), np.eye(len(shares))[said[0]], 1, 1, Champion("old", said[1]), None)
        promoted += (
            decide(case, Gate(floors=Floors(class_f1=0), limits=Limits(calibration_error=None))).verdict == "promoted"
        )
    assert promoted <= 10


def test_a_real_lead_is_seen():
    """What the gate is worth: of 50 models that are right 3 points more often on 3,000 rows nearly all get through."""
    draw, promoted = np.random.default_rng(13), 0
    for _ in range(50):
        truth = draw.integers(2, size=3000)
        theirs, ours = (np.where(draw.random(3000) < wrong, 1 - truth, truth) for wrong in (0.10, 0.07))
        promoted += compare(Rows(truth, ["a", "b"]), ours, theirs, Comparison()).low > 0
    assert promoted >= 45


ROWS = [(f"id{i}", "好" if i % 2 else "差", f"文本{i}") for i in range(50)]


def test_the_frozen_rows_are_measured_though_others_came():
    frozen = freeze(digests(ROWS))
    more = [*ROWS[::-1], ("new", "好", "新的")]
    kept = keep(digests(more), frozen.hash, frozen, None)
    assert not kept.refusal
    assert (kept.rows.sum(), kept.rows[-1], kept.frozen.hash) == (50, False, frozen.hash)
    assert type(frozen).unpack(frozen.packed()).hash == frozen.hash


def test_another_test_set_is_refused_until_a_person_freezes_it():
    frozen = freeze(digests(ROWS))
    corrected = [("id0", "好", "文本0"), *ROWS[1:]]
    now = freeze(digests(corrected)).hash
    kept = keep(digests(corrected), frozen.hash, frozen, None)
    assert "1 of its 50 rows are gone or changed" in kept.refusal
    assert f"set register.test_set to {now[:12]}" in kept.refusal
    assert not keep(digests(corrected), frozen.hash, frozen, now[:12]).refusal
    assert "which is neither" in keep(digests(corrected), frozen.hash, frozen, "0" * 12).refusal
    assert keep(digests(corrected), frozen.hash, None, None).refusal, "a champion that knows the hash alone"
    assert keep(digests(ROWS), None, None, None).rows.all(), "the first one freezes what there is"
