"""Train candidates one after the other, alone or in several processes; a program that the tests start.

What it is to do is JSON in its first argument. ``fault`` plants a defect in the second process.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch

from wenhuo.errors import WenhuoError
from wenhuo.models import transformer
from wenhuo.training import candidate, history, joining, launching, loop, processes
from wenhuo.training.options import TransformerCandidate


def train_all(encoded: Path, folder: Path, chosen: dict[str, dict], seed: int = 13) -> None:
    for name, options in chosen.items():
        model = folder / name / "model"
        model.mkdir(parents=True, exist_ok=True)
        points = candidate.train_transformer(
            TransformerCandidate(**options), seed, encoded, model, folder / name / "checkpoints", lambda points: None
        )
        if processes.first():
            history.write(folder / name / "curves.csv", points)


def plant(fault: str, number: int) -> None:
    """From its so-manieth training pass on this process has little memory, or is frozen, or ends."""
    forward, passes = transformer.Network.forward, 0

    def limited(network, ids, mask):
        nonlocal passes
        passes += network.training
        if network.training and passes >= number:
            if fault == "memory" and ids.numel() > 100:
                torch.rand(7)  # what was drawn before memory ran out must not matter
                raise torch.OutOfMemoryError("CUDA out of memory")
            if fault in {"SIGSTOP", "SIGKILL"}:
                os.kill(os.getpid(), signal.Signals[fault])
        return forward(network, ids, mask)

    transformer.Network.forward = limited


def main(words: list[str]) -> None:
    asked = json.loads(words[0])
    if launching.run_in_processes(["tests.wenhuo.training.several", *words], asked["devices"], "auto"):
        return
    second = os.environ.get("RANK") == "1"
    if second and asked["fault"] and asked["fault"] != "seed":
        plant(asked["fault"], asked["number"])
    with joining.joined(asked["patience"]):
        seed = 14 if second and asked["fault"] == "seed" else 13
        train_all(Path(asked["encoded"]), Path(asked["folder"]), asked["chosen"], seed)


if __name__ == "__main__":
    launching.SECONDS_TO_END = 2.0
    loop.SAVING_SHARE = 1e9  # after every step, where checkpoint_seconds is 0
    try:
        main(sys.argv[1:])
    except WenhuoError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
