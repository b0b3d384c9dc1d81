"""Spot checks of a backbone that a person can read: what it puts in a gap, and which sentences it finds alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def spot_checks(checkpoint: Path, guesser: Path | None = None) -> dict[str, Any]:
    """Both checks; without a masked language model no gaps are filled.

    Args:
        checkpoint: the backbone's folder.
        guesser: a folder of a masked language model: the generator beside a detector. None: the backbone, if it is one.
    """
    return {"gaps": fill(checkpoint, guesser or checkpoint), "alike": compare(checkpoint)}


def fill(checkpoint: Path, guesser: Path) -> list[dict[str, Any]] | str:
    """The five likeliest characters for each gap."""
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer

    kind = (AutoConfig.from_pretrained(guesser).architectures or [""])[0]
    if not kind.endswith("ForMaskedLM"):
        return f"{guesser.name} is no masked language model ({kind}); give the generator's folder as --guesser"
    tokenizer, model = AutoTokenizer.from_pretrained(checkpoint), AutoModelForMaskedLM.from_pretrained(guesser)
    found = []
    for text in GAPS:
        given = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            logits = model(**given).logits[0, given["input_ids"][0] == tokenizer.mask_token_id][0]
        best = logits.softmax(-1).topk(5)
        guesses = zip(tokenizer.convert_ids_to_tokens(best.indices.tolist()), best.values.tolist(), strict=True)
        found.append({"text": text, "guesses": [f"{token} {share:.0%}" for token, share in guesses]})
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
