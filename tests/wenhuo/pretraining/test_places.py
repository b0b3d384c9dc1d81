"""States at some places alone are those of the whole, from less arithmetic."""

import pytest
import torch
from transformers import (
    AlbertConfig,
    AutoModel,
    BertConfig,
    DebertaV2Config,
    ElectraConfig,
    ModernBertConfig,
    RobertaConfig,
)

from wenhuo.pretraining.places import BERTS, only_at

SIZE = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
FAMILIES = {
    "bert": BertConfig(**SIZE),
    "electra": ElectraConfig(**SIZE, embedding_size=8),
    "roberta": RobertaConfig(**SIZE),
    "albert": AlbertConfig(**SIZE, embedding_size=8),
    "deberta-v2": DebertaV2Config(**SIZE),
    "modernbert": ModernBertConfig(**SIZE, pad_token_id=0, bos_token_id=1, eos_token_id=2),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_they_are_those_of_the_whole_and_so_are_the_gradients(family):
    torch.manual_seed(0)
    model = AutoModel.from_config(FAMILIES[family]).eval()
    ids = torch.randint(5, 50, (3, 11))
    given = {"input_ids": ids, "attention_mask": (torch.arange(11) < torch.tensor([[11], [7], [4]])).long()}
    places = torch.tensor([0, 2, 9, 13, 22, 25])
    weight = model.get_input_embeddings().weight

    whole = model(**given).last_hidden_state.flatten(0, 1)[places]
    (expected,) = torch.autograd.grad(whole.square().sum(), weight)
    seen = []
    if family in BERTS:
        layer = model.encoder.layer[-1]
        layer.intermediate.register_forward_pre_hook(lambda module, states: seen.append(states[0].shape))
    only_at(model, lambda: places)
    some = model(**given).last_hidden_state
    assert some.shape == (1, 6, 16)
    torch.testing.assert_close(some[0], whole, atol=1e-6, rtol=1e-5)
    (found,) = torch.autograd.grad(some.square().sum(), weight)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert seen == [(1, 6, 16)] * (family in BERTS)
