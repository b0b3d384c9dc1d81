"""Each objective equals its formula written out by hand, and a training with any of them survives a kill."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wenhuo.training.conftest import digest, options, train, train_with_a_kill
from wenhuo.encoding.store import EncodedRows, pack
from wenhuo.errors import SettingsError
from wenhuo.models import backbones, transformer
from wenhuo.models.heads import Mean
from wenhuo.training import losses, optimizers, sources, steps
from wenhuo.training.options import Objective

OBJECTIVES = {
    "balanced": {"class_weights": "balanced"},
    "given": {"class_weights": {"negative": 1.0, "neutral": 2.0, "positive": 0.5}},
    "smoothed": {"label_smoothing": 0.1},
    "focal": {"focal": 2.0},
    "r_drop": {"r_drop": 1.0},
    "fgm": {"fgm": 0.05},
    "all": {"class_weights": "balanced", "label_smoothing": 0.1, "focal": 1.0, "r_drop": 0.5, "fgm": 0.05},
}


def softmax(row):
    powers = np.exp(row - row.max())
    return powers / powers.sum()


def by_hand(logits, truth, *, smoothing=0.0, focal=0.0, weights=None):
    """Row by row and class by class."""
    classes = logits.shape[1]
    weights = np.ones(classes) if weights is None else weights
    total = 0.0
    for row, label in zip(logits, truth, strict=True):
        for c, p in enumerate(softmax(row)):
            target = smoothing / classes + (1 - smoothing) * (c == label)
            total += -target * weights[c] * (1 - p) ** focal * np.log(p)
    return total / sum(weights[label] for label in truth)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(1, 6),
    st.integers(2, 5),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([0.0, 0.5, 2.0]),
    st.booleans(),
)
def test_the_loss_equals_its_formula(seed, rows, classes, smoothing, focal, weighted):
    draw = np.random.default_rng(seed)
    logits, truth = draw.normal(size=(rows, classes)) * 3, draw.integers(0, classes, rows)
    weights = draw.uniform(0.1, 3, classes) if weighted else None
    found = losses.classification_loss(
        torch.tensor(logits),
        torch.tensor(truth),
        Objective(label_smoothing=smoothing, focal=focal),
        None if weights is None else torch.tensor(weights),
    )
    expected = by_hand(logits, truth, smoothing=smoothing, focal=focal, weights=weights)
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_a_row_that_is_quite_sure_has_a_gradient():
    logits = torch.tensor([[500.0, 0.0], [0.0, 500.0]], requires_grad=True)
    losses.classification_loss(logits, torch.tensor([0, 0]), Objective(focal=0.5), None).backward()
    assert torch.isfinite(logits.grad).all()


def test_the_divergence_of_r_drop_equals_its_formula(random_numbers):
    first, second = random_numbers.normal(size=(2, 5, 3))
    total = 0.0
    for a, b in zip(first, second, strict=True):
        p, q = softmax(a), softmax(b)
        total += (sum(p * np.log(p / q)) + sum(q * np.log(q / p))) / 2
    assert float(losses.divergence(torch.tensor(first), torch.tensor(second))) == pytest.approx(total / 5)
    assert float(losses.divergence(torch.tensor(first), torch.tensor(first))) == 0


def test_class_weights():
    truth = np.array([0, 0, 0, 1], dtype=np.int32)
    labels = ["a", "b"]
    assert losses.class_weights(Objective(), labels, truth) is None
    found = losses.class_weights(Objective(class_weights="balanced"), labels, truth)
    assert found == pytest.approx([4 / 6, 2.0])
    assert losses.class_weights(Objective(class_weights={"b": 2, "a": 1}), labels, truth) == pytest.approx([1, 2])
    with pytest.raises(SettingsError, match="differ in: b, c"):
        losses.class_weights(Objective(class_weights={"a": 1, "c": 1}), labels, truth)


@pytest.fixture
def stepper():
    def make(**objective):
        torch.manual_seed(0)
        backbone = backbones.scratch_backbone(vocabulary=40, layers=1, hidden=8, heads=2, positions=32, dropout=0.0)
        network = transformer.Network(backbone, Mean(kind="mean"), 3, 0.0)
        offsets, values = pack([[2, 7, 9, 3], [2, 8, 3], [2, 30, 31, 32, 3]])
        rows = EncodedRows(np.array([0, 2, 1], dtype=np.int32), offsets, values)
        source = sources.Tokens(network, rows, 0, "mean", torch.device("cpu"), torch.float32)
        chosen = options(objective=objective)
        return steps.Stepper(network, source, optimizers.make_optimizer(network, chosen), chosen, None, None)

    return make


def gradients(network):
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def test_fgm_equals_a_step_written_out_by_hand(stepper):
    made, size = stepper(fgm=0.7), 0.7
    positions = np.arange(3)
    made._gradient(positions)
    found = gradients(made.network)

    network = stepper().network
    ids, mask = transformer.pad_rows([made.source.rows.row(i) for i in positions], 0)
    truth = torch.tensor([0, 2, 1])

    def loss(embedded):
        states = network.backbone(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        features = network.head.options.features([states], mask)
        return torch.nn.functional.cross_entropy(network.head(features, mask), truth)

    words = network.backbone.get_input_embeddings()
    embedded = words(ids).detach().requires_grad_()
    [slope] = torch.autograd.grad(loss(embedded), embedded)
    step = torch.stack([size * row / row.norm() for row in slope])
    assert torch.allclose(step.flatten(1).norm(dim=1), torch.full((3,), size))
    (loss(words(ids)) + loss(words(ids) + step)).backward()
    expected = gradients(network)
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in found)
    assert loss(words(ids) + step) > loss(words(ids))


def test_without_dropout_r_drop_is_cross_entropy(stepper):
    plain, dropped = stepper(), stepper(r_drop=3.0)
    assert plain._gradient(np.arange(3)) == pytest.approx(dropped._gradient(np.arange(3)))
    one, other = gradients(plain.network), gradients(dropped.network)
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_training_with_any_objective_learns_and_survives_a_kill(tokens, tmp_path, monkeypatch, name):
    more = {"objective": OBJECTIVES[name], "epochs": 3, "learning_rate": 0.01}
    whole, points = train(tmp_path / "whole", tokens, **more)
    assert max(point.value for point in points if point.metric == "validation/macro_f1") > 0.6
    broken, resumed = train_with_a_kill(tmp_path / "broken", tokens, monkeypatch, 20, **more)
    assert digest(whole) == digest(broken)
    assert points == resumed


@pytest.mark.parametrize("optimizer", [{"optimizer": "sgd", "momentum": 0.0}, {"optimizer": "sgd"},
                                       {"optimizer": "adafactor", "learning_rate": 0.1}])  # fmt: skip
@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_every_optimizer_and_schedule_survives_a_kill(tokens, tmp_path, monkeypatch, optimizer, schedule):
    more = {**optimizer, "schedule": schedule, "epochs": 2}
    whole, points = train(tmp_path / "whole", tokens, **more)
    broken, resumed = train_with_a_kill(tmp_path / "broken", tokens, monkeypatch, 11, **more)
    assert digest(whole) == digest(broken)
    assert points == resumed


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "adafactor"])
def test_optimizers_learn_and_leave_biases_undecayed(stepper, optimizer):
    made = stepper()
    rate = {"adamw": 0.01, "sgd": 0.1, "adafactor": 0.1}[optimizer]
    chosen = options(optimizer=optimizer, learning_rate=rate, weight_decay=0.1)
    made.optimizer = optimizers.make_optimizer(made.network, chosen)
    decays = {p.ndim > 1: group["weight_decay"] for group in made.optimizer.param_groups for p in group["params"]}
    assert decays == {True: 0.1, False: 0.0}
    course = [made.step(np.arange(3), rate, number) for number in range(1, 31)]
    assert course[-1] < 0.5 * course[0]


def test_schedules_after_the_warm_up():
    def rates(schedule):
        chosen = options(learning_rate=1.0, warmup=0.2, schedule=schedule)
        return [optimizers.learning_rate(step, 10, chosen) for step in range(11)]

    assert rates("constant") == pytest.approx([0.5] + [1.0] * 10)
    cosine = rates("cosine")
    assert cosine[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert cosine[6] == pytest.approx(0.5)
    assert cosine[10] == pytest.approx(0)
    assert rates("linear")[6] == pytest.approx(0.5)


@pytest.mark.parametrize("wrong", [{"focal": -1}, {"class_weights": "even"}, {"class_weights": {"a": -1}}, {"typo": 1}])
def test_objectives_are_checked(wrong):
    with pytest.raises(ValidationError):
        options(objective=wrong)


def test_gradient_checkpointing_changes_no_bit(tokens, tmp_path):
    plain, _ = train(tmp_path / "plain", tokens, layers=2, epochs=1, dropout=0.1)
    saved, _ = train(tmp_path / "saved", tokens, layers=2, epochs=1, dropout=0.1, gradient_checkpointing=True)
    assert digest(plain / "backbone") == digest(saved / "backbone")


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_batch_in_parts_has_the_gradient_of_the_whole(stepper, monkeypatch, name):
    weights = torch.tensor([1.0, 2.0, 0.5]) if "class_weights" in OBJECTIVES[name] else None
    found = {}
    for at_once in (None, 10, 1):
        made = stepper(**OBJECTIVES[name])
        made.weights, made.at_once = weights, at_once
        parts = made._parts(np.array([1, 0, 2]))
        assert [len(part) for part in parts] == {None: [3], 10: [2, 1], 1: [1, 1, 1]}[at_once]
        found[at_once] = made._gradient(np.array([1, 0, 2])), gradients(made.network)
    for loss, parts in found.values():
        assert loss == pytest.approx(found[None][0], rel=1e-5)
        assert all(torch.allclose(value, found[None][1][key], atol=1e-6) for key, value in parts.items())
