"""The cheap dropout is dropout: its share, its scale, its gradient, its seed; attention without it is torch's own."""

import copy
import resource
import sys

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertModel

from wenhuo.models import dropout
from wenhuo.models.devices import keep_memory
from wenhuo.models.dropout import dropped, make_cheap


def small_bert(**more):
    shape = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
    return BertModel(BertConfig(vocab_size=50, **shape, **more), add_pooling_layer=False)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_drops_its_share_and_keeps_the_mean(share, dtype):
    torch.manual_seed(0)
    values = torch.ones(1001, 997, dtype=dtype, requires_grad=True)
    found = dropped(values, share)
    kept = found != 0
    assert (~kept).float().mean().item() == pytest.approx(share, abs=0.002)
    assert found.float().mean().item() == pytest.approx(1, abs=0.005)
    assert (~kept).float().mean(0).std().item() < 0.025, "no column is dropped more than others"
    (3 * found).sum().backward()
    assert torch.equal(values.grad, 3 * found.detach())


def test_what_is_dropped_hangs_on_torchs_seed_and_on_the_call():
    drawn = []
    for _ in range(2):
        torch.manual_seed(5)
        drawn.append([dropped(torch.ones(999), 0.3) for _ in range(2)])
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert torch.equal(drawn[0][1], drawn[1][1])
    assert not torch.equal(drawn[0][0], drawn[0][1])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_and_everything_can_be_dropped(share):
    assert torch.equal(dropped(torch.ones(10), share), torch.full((10,), 1 - share))
    assert dropped(torch.ones(0, 3), 0.1).shape == (0, 3)


def test_it_takes_the_place_of_every_dropout_and_changes_nothing_that_is_saved(tmp_path):
    plain = small_bert().eval()
    cheap = copy.deepcopy(plain)
    make_cheap(cheap)
    assert {type(part) for part in cheap.modules() if isinstance(part, nn.Dropout)} == {dropout.Dropout}
    assert list(plain.state_dict()) == list(cheap.state_dict())
    for name, model in (("plain", plain), ("cheap", cheap)):
        model.save_pretrained(tmp_path / name)
    assert (tmp_path / "plain" / "config.json").read_bytes() == (tmp_path / "cheap" / "config.json").read_bytes()
    ids, mask = torch.randint(5, 50, (3, 9)), torch.ones(3, 9, dtype=torch.int64)
    mask[1, 4:] = 0
    assert torch.equal(plain(ids, mask)[0], cheap(ids, mask)[0])


@pytest.mark.parametrize("padded", [False, True])
def test_attention_is_torchs_but_for_what_is_dropped(monkeypatch, padded):
    torch.manual_seed(1)
    plain = small_bert(hidden_dropout_prob=0.0).train()
    cheap = copy.deepcopy(plain)
    make_cheap(cheap)
    for layer in plain.encoder.layer:
        layer.attention.self.dropout.p = 0.0
    monkeypatch.setattr(dropout, "_kept", lambda values, drawn, threshold: values)
    ids, mask = torch.randint(5, 50, (3, 9)), torch.ones(3, 9, dtype=torch.int64)
    if padded:
        mask[1, 4:] = 0
    outs = [model(ids, mask)[0] * mask.unsqueeze(-1) for model in (plain, cheap)]
    assert torch.allclose(*outs, atol=1e-6)
    for out in outs:
        out.square().sum().backward()
    for (name, one), other in zip(plain.named_parameters(), cheap.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-4), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_that_are_dropped_have_the_gradients_of_dropout(dtype):
    layer, found = nn.Module(), []
    layer.is_causal = False
    for attend in (dropout.attend, by_hand):
        torch.manual_seed(4)
        states = [torch.randn(2, 3, 5, 8, dtype=dtype).requires_grad_() for _ in range(3)]
        out, _ = attend(layer, *states, None, dropout=0.4, scaling=0.3)
        (out * torch.arange(8)).sum().backward()
        found.append([out, *(state.grad for state in states)])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-5 if dtype == torch.float32 else 0.2)


def by_hand(_layer, query, key, value, _mask, dropout, scaling):
    weights = (query * scaling @ key.transpose(2, 3)).softmax(-1)
    return (dropped(weights, dropout) @ value).transpose(1, 2), None


def test_layers_that_are_computed_again_drop_the_same():
    gradients = []
    for again in (False, True):
        torch.manual_seed(3)
        model = small_bert().train()
        make_cheap(model)
        if again:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        model(torch.arange(5, 35).view(2, 15))[0].square().sum().backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    assert all(torch.allclose(*pair, atol=1e-5) for pair in zip(*gradients, strict=True))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_memory_that_is_freed_is_had_again_without_faults():
    keep_memory()
    size = 2**25  # 128 MiB of float32: glibc would map and unmap it
    torch.zeros(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.zeros(size).fill_(1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 4 * size * 4 / 4096 / 2
