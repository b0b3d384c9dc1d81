"""Heads equal what a loop over rows and tokens gives, padding changes nothing, and they come back from disk."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from wenhuo.errors import SettingsError
from wenhuo.models import backbones, transformer
from wenhuo.models.folder import Card
from wenhuo.models.heads import AnyHead, Shape
from wenhuo.training.options import TransformerCandidate

HEADS = [
    "first",
    "last",
    "mean",
    "max",
    "mix",
    {"kind": "mix", "layers": 2, "read": "first"},
    {"kind": "concat", "layers": 2},
    {"kind": "concat", "layers": 3, "read": "last"},
    {"kind": "cnn", "widths": [1, 3, 5], "filters": 4},
    "attention",
]
HIDDEN = 8
LENGTHS = (5, 1, 3)


def head_of(given):
    return TypeAdapter(AnyHead).validate_python(given)


def name_of(given):
    return given if isinstance(given, str) else "-".join(str(value) for value in given.values())


def tiny_network(head, layers=3):
    torch.manual_seed(0)
    backbone = backbones.scratch_backbone(
        vocabulary=40, layers=layers, hidden=HIDDEN, heads=2, positions=32, dropout=0.1
    )
    network = transformer.Network(backbone, head, 3, 0.1).eval()
    for parameter in network.head.parameters():
        parameter.data.normal_(generator=torch.Generator().manual_seed(parameter.numel()))
    return network


def rows_of(lengths=LENGTHS):
    draw = np.random.default_rng(0)
    return [draw.integers(5, 40, length).tolist() for length in lengths]


def vector(head, parts, states):
    """The pooled vector of one row, by loops; ``states``: a list of (tokens, hidden), first layer first."""
    read = {"first": lambda s: s[0], "last": lambda s: s[-1], "mean": lambda s: s.mean(0)}
    match head.kind:
        case "first":
            return torch.tanh(parts["dense.weight"] @ states[-1][0] + parts["dense.bias"])
        case "last" | "mean":
            return read[head.kind](states[-1])
        case "max":
            return torch.stack([max(states[-1][:, d]) for d in range(HIDDEN)])
        case "mix":
            used = states[-(head.layers or len(states)) :]
            weights = torch.exp(parts["weights"]) / torch.exp(parts["weights"]).sum()
            return parts["scale"] * sum(w * read[head.read](s) for w, s in zip(weights, used, strict=True))
        case "concat":
            return torch.cat([read[head.read](s) for s in states[-head.layers :]])
        case "cnn":
            return torch.tensor([value for i, w in enumerate(head.widths) for value in convolved(parts, i, w, states)])
        case "attention":
            scores = [parts["query.weight"][0] @ torch.tanh(parts["dense.weight"] @ t + parts["dense.bias"])
                      for t in states[-1]]  # fmt: skip
            weights = torch.exp(torch.stack(scores)) / torch.exp(torch.stack(scores)).sum()
            return sum(w * t for w, t in zip(weights, states[-1], strict=True))


def convolved(parts, number, width, states):
    weight, bias = parts[f"filters_{number}.weight"], parts[f"filters_{number}.bias"]
    tokens = [*states[-1], *[torch.zeros(HIDDEN)] * (width - 1)]
    for f in range(len(weight)):
        seen = [sum(weight[f, :, k] @ tokens[t + k] for k in range(width)) + bias[f] for t in range(len(states[-1]))]
        yield max(0.0, max(float(value) for value in seen))


@torch.no_grad()
@pytest.mark.parametrize("given", HEADS, ids=name_of)
def test_a_head_equals_a_loop_over_rows_and_tokens(given):
    network, head = tiny_network(head_of(given)), head_of(given)
    parts, rows = network.head.state_dict(), rows_of()
    found = network(*transformer.pad_rows(rows, 0))
    for row, logits in zip(rows, found, strict=True):
        alone = network.backbone(input_ids=torch.tensor([row]), output_hidden_states=True)
        pooled = vector(head, parts, [state[0] for state in alone.hidden_states])
        assert torch.allclose(logits, parts["out.weight"] @ pooled + parts["out.bias"], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("given", HEADS, ids=name_of)
def test_padding_changes_nothing(given):
    network, rows = tiny_network(head_of(given)), rows_of((4, 9, 2))
    together = network(*transformer.pad_rows(rows, 0))
    assert torch.isfinite(together).all()
    for row, logits in zip(rows, together, strict=True):
        assert torch.allclose(logits, network(*transformer.pad_rows([row], 0))[0], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("given", HEADS, ids=name_of)
def test_a_saved_head_predicts_the_same(given, tmp_path):
    network, rows = tiny_network(head_of(given)), rows_of((4, 9, 2))
    transformer.save(network, tmp_path)
    loaded = transformer.load(tmp_path, head_of(given), 3)
    batch = transformer.pad_rows(rows, 0)
    assert torch.equal(network(*batch), loaded(*batch))
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_every_head_has_a_gradient_in_all_its_parts():
    for given in HEADS:
        network = tiny_network(head_of(given))
        network(*transformer.pad_rows(rows_of(), 0)).square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.head.parameters()), given


def test_more_layers_than_the_backbone_has_are_a_clear_error():
    with pytest.raises(SettingsError, match="reads 5 layers, but the backbone has 3"):
        tiny_network(head_of({"kind": "concat", "layers": 5}))
    with pytest.raises(ValidationError, match="reads 4 layers, but the backbone has 2"):
        TransformerCandidate(kind="transformer", encoder="x", layers=2, head={"kind": "mix", "layers": 4})
    for given in ({"kind": "cnn", "widths": []}, {"kind": "cnn", "widths": [0]}, {"kind": "concat", "layers": 1}, "no"):
        with pytest.raises(ValidationError):
            head_of(given)


def test_a_card_of_an_earlier_version_is_read():
    old = {"kind": "transformer", "labels": ["a", "b"], "cleaning": {}, "encoder": {"kind": "tokens"}}
    card = Card.model_validate(old | {"head": "first", "trained_on": {}})
    assert card.head == head_of("first")
    assert Card.model_validate(json.loads(card.model_dump_json())) == card


def test_a_mix_of_all_layers_counts_the_embeddings():
    assert head_of("mix").states(Shape(HIDDEN, 4)) == 4


def test_options_of_heads_are_read_without_torch():
    code = "import sys, wenhuo.training.options, wenhuo.models.heads; print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert ended.stdout.strip() == "False"
