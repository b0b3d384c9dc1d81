"""Train candidates one after the other, alone or as one of several processes; a program that the tests start."""

import json
import sys
from pathlib import Path

from wenhuo.errors import WenhuoError
from wenhuo.training import candidate, history, joining, launching, processes
from wenhuo.training.options import TransformerCandidate


def train_all(encoded: Path, folder: Path, chosen: dict[str, dict], patience: float) -> None:
    with joining.joined(patience):
        for name, options in chosen.items():
            model = folder / name / "model"
            model.mkdir(parents=True, exist_ok=True)
            points = candidate.train_transformer(
                TransformerCandidate(**options), 13, encoded, model, folder / name / "checkpoints", lambda points: None
            )
            if processes.first():
                history.write(folder / name / "curves.csv", points)


if __name__ == "__main__":
    launching.prepare()
    try:
        train_all(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]), float(sys.argv[4]))
    except WenhuoError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
