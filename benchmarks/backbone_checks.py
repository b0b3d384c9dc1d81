"""Spot checks of a backbone for people: what it puts in a gap, which sentences it finds alike, how far it reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

PLACES = (0, 32, 64, 128, 256, 512)
"""Where the spans begin and end that hidden tokens are counted in."""

GAPS = (
    "今天天气很[MASK]。",
    "这家酒店的服务员很热[MASK]。",
    "中国的首[MASK]是北京。",
    "手机屏幕[MASK]了，要求退货。",
    "他每天早上六点[MASK]床。",
    "房间很[MASK]净，下次还会来。",
    "电影太难看了，浪费时[MASK]。",
    "我[MASK]常喜欢这本书。",
)

ALIKE = (
    ("房间很干净，服务也好。", "酒店整洁，员工热情。"),
    ("手机用了两天就坏了。", "屏幕没几天就出问题了。"),
    ("今天股市大跌。", "沪指收盘下挫百分之三。"),
    ("他在医院看病。", "医生给他开了药。"),
    ("这部电影太无聊了。", "片子没意思，看得想睡。"),
    ("高考成绩明天公布。", "考生可以查询分数了。"),
)


def spot_checks(checkpoint: Path, guesser: Path | None = None, texts: Sequence[str] = ()) -> dict[str, Any]:
    """All checks; without a masked language model no gaps are filled and nothing is guessed.

    Args:
        checkpoint: the backbone's folder.
        guesser: a folder of a masked language model: the generator beside a detector. None: the backbone, if it is one.
        texts: long ones, for what is guessed by place; none: it is left out.
    """
    checks = {"gaps": fill(checkpoint, guesser or checkpoint), "alike": compare(checkpoint)}
    return {**checks, "places": guessed(checkpoint, guesser or checkpoint, texts)} if texts else checks


def fill(checkpoint: Path, guesser: Path) -> list[dict[str, Any]] | str:
    """The five likeliest characters for each gap."""
    import torch

    opened = _guesser(checkpoint, guesser)
    if isinstance(opened, str):
        return opened
    tokenizer, model = opened
    found = []
    for text in GAPS:
        given = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            logits = model(**given).logits[0, given["input_ids"][0] == tokenizer.mask_token_id][0]
        best = logits.softmax(-1).topk(5)
        guesses = zip(tokenizer.convert_ids_to_tokens(best.indices.tolist()), best.values.tolist(), strict=True)
        found.append({"text": text, "guesses": [f"{token} {share:.0%}" for token, share in guesses]})
    return found


def _guesser(checkpoint: Path, guesser: Path) -> tuple[Any, Any] | str:
    """Tokenizer and masked language model, or why there is none."""
    from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer

    kind = (AutoConfig.from_pretrained(guesser).architectures or [""])[0]
    if not kind.endswith("ForMaskedLM"):
        return f"{guesser.name} is no masked language model ({kind}); give the generator's folder as --guesser"
    return AutoTokenizer.from_pretrained(checkpoint), AutoModelForMaskedLM.from_pretrained(guesser).eval()


def guessed(checkpoint: Path, guesser: Path, texts: Sequence[str]) -> list[dict[str, Any]] | str:
    """How many of the hidden tokens are guessed, by how far from the row's beginning they stand.

    What a network does at places that it has never seen is chance; this tells up to where it may be given text.

    Args:
        checkpoint: the backbone's folder.
        guesser: the folder of a masked language model.
        texts: the first 200 that reach beyond the fourth of ``PLACES`` are looked at, 15 % of their tokens hidden.
    """
    import torch

    opened = _guesser(checkpoint, guesser)
    if isinstance(opened, str):
        return opened
    tokenizer, model = opened
    last = min(PLACES[-1], model.config.max_position_embeddings)
    rows = [ids for ids in tokenizer(texts, max_length=last, truncation=True)["input_ids"] if len(ids) > PLACES[3]]
    draw, hits, hidden = torch.Generator().manual_seed(13), torch.zeros(last), torch.zeros(last)
    for row in rows[:200]:
        ids = torch.tensor(row)
        mask = (torch.rand(len(ids), generator=draw) < 0.15) & (ids != tokenizer.unk_token_id)
        mask[0] = mask[-1] = False
        with torch.no_grad():
            best = model(input_ids=ids.masked_fill(mask, tokenizer.mask_token_id)[None]).logits[0].argmax(-1)
        hidden[: len(ids)] += mask
        hits[: len(ids)] += mask & (best == ids)
    found = []
    for start, end in pairwise(PLACES):
        count = int(hidden[start:end].sum())
        if count:
            found.append({"from": start, "to": end, "hidden": count, "guessed": float(hits[start:end].sum()) / count})
    return found


def compare(checkpoint: Path) -> dict[str, Any]:
    """For each of some sentences the one it is most like, by the cosine of mean states about their mean."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    texts = [text for pair in ALIKE for text in pair]
    tokenizer, model = AutoTokenizer.from_pretrained(checkpoint), AutoModel.from_pretrained(checkpoint)
    given = tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        states = model.eval()(**given).last_hidden_state
    mask = given["attention_mask"][:, :, None]
    means = (states * mask).sum(1) / mask.sum(1)
    unit = torch.nn.functional.normalize(means - means.mean(0), dim=1)
    near = unit @ unit.T - 2 * torch.eye(len(texts))
    nearest = near.argmax(1).tolist()
    told = [
        {"text": text, "nearest": texts[other], "cosine": round(float(near[i, other]), 3), "expected": other == i ^ 1}
        for i, (text, other) in enumerate(zip(texts, nearest, strict=True))
    ]
    return {"right": sum(one["expected"] for one in told), "of": len(texts), "sentences": told}
