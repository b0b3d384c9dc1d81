"""Kill trainings at drawn moments, resume them to the end, and compare them with one that nobody disturbed.

A process of its own: it imports what a training needs once and forks a child for every start, so that a start takes
hundredths of a second instead of seconds. Children are killed by SIGKILL, from outside, wherever they are.

    python -m tests.wenhuo.training.killing ENCODED FOLDER SEED
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ANYWHERE, SAVING, VALIDATING, WRITING = "anywhere", "saving", "validating", "writing the model"
WANTED = {ANYWHERE: 4, SAVING: 3, VALIDATING: 3, WRITING: 1}  # one that misses its phase counts as anywhere
MOST = 40  # trainings; far more than are needed
SMALL = {"kind": "transformer", "encoder": "x", "hidden": 16, "heads": 2, "batch_size": 24, "log_steps": 3}
SMALL |= {"learning_rate": 0.003, "epochs": 3, "patience": 9, "checkpoint_seconds": 0}
KINDS: dict[str, dict[str, Any]] = {
    "plain": {"layers": 1},
    "head": {"layers": 1, "tune": "head", "head": "attention"},
    "rich": {
        "layers": 1,
        "epochs": 2,
        "tune": {"kind": "adalora", "start_rank": 4, "rank": 2},
        "head": {"kind": "cnn", "filters": 4},
        "objective": {"r_drop": 0.5, "fgm": 0.05, "class_weights": "balanced"},
        "tokens_at_once": 500,
    },
}


@dataclass
class Run:
    """A training's folder and the phases that its present child has told of, each as a begin and an end."""

    encoded: Path
    folder: Path
    kind: str
    told: list[tuple[str, str]] = field(default_factory=list)

    def start(self) -> tuple[int, int]:
        """A child that trains, or goes on training; its id and the end of a pipe where it tells its phases."""
        read, write = os.pipe()
        self.told = []
        child = os.fork()
        if child:
            os.close(write)
            return child, read
        os.close(read)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            train(self, write)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def listen(self, pipe: int, until: Callable[[], bool], deadline: float) -> bool:
        """Read what the child tells until something holds, its end, or a deadline; whether it still lives."""
        while not until() and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([pipe], [], [], left)
            if ready and not self.hear(pipe):
                return False
        return True

    def hear(self, pipe: int) -> bool:
        """Take in what the child has told; False at its end."""
        said = os.read(pipe, 1 << 16).decode()
        for line in filter(None, said.split("\n")):
            edge, phase = line.split(" ", 1)
            self.told.append((edge, phase))
        return bool(said)

    def count(self, phase: str) -> int:
        """How often a phase has begun."""
        return self.told.count(("begin", phase))

    def digest(self) -> dict[str, str]:
        """The hash of each file of the model and of the curves; killed processes leave partial folders beside them."""
        files = sorted(path for path in (self.folder / "model").rglob("*") if path.is_file())
        files.append(self.folder / "curves.csv")
        return {str(p.relative_to(self.folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def train(run: Run, pipe: int) -> None:
    """What the stage does, telling where it is; a checkpoint after every step."""
    from wenhuo.files import whole
    from wenhuo.models import transformer
    from wenhuo.training import candidate, checkpoint, history, loop, sources
    from wenhuo.training.options import TransformerCandidate

    loop.SAVING_SHARE = 1e9
    checkpoint.save = telling(SAVING, checkpoint.save, pipe)
    transformer.save = telling(WRITING, transformer.save, pipe)
    for source in (sources.Tokens, sources.Features):
        source.all_scores = telling(VALIDATING, source.all_scores, pipe)
    chosen = TransformerCandidate(**SMALL | KINDS[run.kind])
    with whole(run.folder / "model") as made:
        made.mkdir()
        points = candidate.train_transformer(
            chosen, 13, run.encoded, made, run.folder / "checkpoints", lambda points: None
        )
    history.write(run.folder / "curves.csv", points)


def telling(phase: str, act: Callable[..., Any], pipe: int) -> Callable[..., Any]:
    """The same action, with a line to the pipe before and after."""

    def told(*arguments: Any, **named: Any) -> Any:
        os.write(pipe, f"begin {phase}\n".encode())
        made = act(*arguments, **named)
        os.write(pipe, f"end {phase}\n".encode())
        return made

    return told


def finish(run: Run) -> float:
    """Let a training go to its end; seconds that it took."""
    began = time.monotonic()
    child, pipe = run.start()
    run.listen(pipe, lambda: False, began + 120)
    os.close(pipe)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"{run.kind}: a training that nobody disturbed ended with status {status}")
    return time.monotonic() - began


def kill(run: Run, phase: str, draw: random.Random, seconds: float, counts: Counter[str]) -> str | None:
    """Start a training and kill it in a phase, or anywhere; the phase that it was in, None when it ended first.

    Args:
        run: where.
        phase: in which it is to die.
        draw: gives the moment.
        seconds: how long an undisturbed training takes.
        counts: how often each phase comes in one.
    """
    child, pipe = run.start()
    began = time.monotonic()
    if phase == ANYWHERE:
        moment = began + draw.uniform(0, 0.9 * seconds)
        run.listen(pipe, lambda: False, moment)
    else:
        number = draw.randint(1, max(1, counts[phase] // 2))
        run.listen(pipe, lambda: run.count(phase) >= number, began + 120)
        time.sleep(draw.uniform(0, 0.004))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    while run.hear(pipe):
        pass
    os.close(pipe)
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        return None
    edge, last = run.told[-1] if run.told else ("end", "")
    return last if edge == "begin" else ANYWHERE


def main(encoded: Path, folder: Path, seed: int) -> dict[str, Any]:
    """Kill until every phase has been hit often enough; what was found."""
    import peft  # noqa: F401 - once for all children
    import transformers  # noqa: F401
    from transformers import BertModel  # noqa: F401

    import wenhuo.models.adapters
    import wenhuo.training.assembly
    import wenhuo.training.candidate  # noqa: F401

    draw, kills, trainings, differing = random.Random(seed), Counter[str](), 0, []
    whole, seconds, counts = {}, {}, {}
    for kind in KINDS:
        undisturbed = Run(encoded, folder / f"whole-{kind}", kind)
        seconds[kind] = finish(undisturbed)
        whole[kind], counts[kind] = undisturbed.digest(), Counter(p for edge, p in undisturbed.told if edge == "begin")
    while any(kills[phase] < count for phase, count in WANTED.items()) and trainings < MOST:
        kind = draw.choice(list(KINDS))
        run = Run(encoded, folder / f"broken-{trainings}", kind)
        for _ in range(draw.randint(1, 3)):
            missing = [phase for phase, count in WANTED.items() if kills[phase] < count] or [ANYWHERE]
            hit = kill(run, draw.choice(missing), draw, seconds[kind], counts[kind])
            if hit is not None:
                kills[hit] += 1
        finish(run)
        if run.digest() != whole[kind]:
            differing.append(run.folder.name)
        shutil.rmtree(run.folder)
        trainings += 1
    files = {kind: sorted(found) for kind, found in whole.items()}
    return {"kills": dict(kills), "trainings": trainings, "differing": differing, "files": files, "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
