"""Pretrain a backbone from text to a folder that transformers' AutoModel and AutoTokenizer load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wenhuo.checkpoints import RECORD, locate
from wenhuo.console import say
from wenhuo.errors import DataError, SettingsError, SourceError
from wenhuo.files import read_json, sha256, whole, write_json
from wenhuo.pretraining.options import SCRATCH, Pretraining
from wenhuo.pretraining.preparing import COUNTS, EMBEDDINGS, prepare
from wenhuo.training.history import Point

if TYPE_CHECKING:
    from wenhuo.pretraining.checkpoint import Progress
    from wenhuo.pretraining.training import Training

PREPARED = "prepared"
COURSE = "course"

Watch = Callable[[list[Point]], None]


def pretrain(
    options: Pretraining,
    seed: int,
    parts: Path,
    versions: dict[str, Any],
    work: Path,
    folder: Path | None,
    watch: Watch,
) -> list[Point]:
    """Pretrain; write the checkpoint to ``folder``; return its curves.

    Args:
        options: the backbone's parameters.
        seed: of every random choice.
        parts: the folder of the stage `split`: the train texts, and those that must not be seen.
        versions: what :func:`wenhuo.pretraining.versions.fingerprint` said of the files.
        work: where prepared text and checkpoints are kept until the caller forgets them.
        folder: where the result goes; it exists. None: another of several processes writes it.
        watch: called with new points of the curves as they come.

    Raises:
        SourceError: a file or the checkpoint is not there.
        DataError: a file is no text, or there is too little of it.
        ModelError: the checkpoint cannot be pretrained further.
        Interrupted: after SIGTERM; a checkpoint is saved.
    """
    _set_up()
    from wenhuo.training.processes import first_here, gather

    prepared = work / PREPARED
    if first_here():
        _check_files(options, versions)
        prepare(options, parts, prepared)
    gather(None)  # it is there
    return learn(options, seed, prepared, lambda: _about_text(parts, versions, prepared), work, folder, watch)


def learn(
    options: Pretraining,
    seed: int,
    prepared: Path,
    about_text: Callable[[], dict[str, Any]],
    work: Path,
    folder: Path | None,
    watch: Watch,
    course: Sequence[float] = (),
) -> list[Point]:
    """Pretrain on text that is prepared; write the checkpoint to ``folder``; return its curves.

    Args:
        options: the backbone's parameters.
        seed: of every random choice.
        prepared: what :func:`prepare` wrote.
        about_text: what the checkpoint's card says of the text.
        work: where checkpoints are kept until the caller forgets them.
        folder: as in :func:`pretrain`.
        watch: called with new points of the curves as they come.
        course: shares of the whole after which the network as it is then is written to ``work / COURSE``, at the next
            measurement on held-out rows.

    Raises:
        ModelError: the checkpoint to go on from cannot be pretrained further.
        Interrupted: after SIGTERM; a checkpoint is saved.
    """
    _set_up()
    training = assemble(options, seed, work, watch, prepared)

    def write(progress: Progress, made: Path) -> None:
        save_result(training, made)
        about = {"text": about_text(), "seed": seed, **_about_course(training, progress), "before": _before(options)}
        weights = {path.relative_to(made).as_posix(): sha256(path) for path in sorted(made.rglob("*.safetensors"))}
        write_json(made / RECORD, {"format": 1, **about, "sha256": weights, "options": options.model_dump()})

    if folder is not None and course:
        training.kept = lambda progress, done: _keep_course(progress, done, course, work / COURSE, write)
    progress = training.run()
    if folder is not None:
        write(progress, folder)
    return progress.points


def _before(options: Pretraining) -> list[dict[str, Any]]:
    """The records of the courses whose network this one went on from, the oldest first, as far as they are known."""
    if options.start == SCRATCH:
        return []
    path = locate(options.start, options.revision).folder / RECORD
    if not path.is_file():
        return []
    known = read_json(path)
    return [*known.pop("before", []), known]


def _keep_course(
    progress: Progress, done: float, course: Sequence[float], folder: Path, write: Callable[[Progress, Path], None]
) -> None:
    """Keep the network as it is at each share that is reached; what a killed run kept before stays."""
    for share in course:
        target = folder / f"{share:.3f}"
        if done >= share and not target.exists():
            with whole(target) as made:
                made.mkdir()
                write(progress, made)


def _set_up() -> None:
    """Set what torch reads when it is imported."""
    from wenhuo.training.launching import prepare as prepare_torch

    prepare_torch()


def _check_files(options: Pretraining, versions: dict[str, Any]) -> None:
    from wenhuo.pretraining.files import find_files

    if [path.as_posix() for path in find_files(options.text)] != [version["path"] for version in versions["files"]]:
        raise SourceError("pretrain: there are other files of text than a moment ago", "run `dvc repro` again")


def assemble(options: Pretraining, seed: int, work: Path, watch: Watch, prepared: Path | None = None) -> Training:
    """A pretraining that is ready to run, its network on the best device."""
    import torch

    from wenhuo.encoding.options import Tokens
    from wenhuo.encoding.tokens import load
    from wenhuo.models.devices import device_and_dtype
    from wenhuo.pretraining.batches import Text
    from wenhuo.pretraining.course import Course
    from wenhuo.pretraining.model import longest, make_model
    from wenhuo.pretraining.store import read_rows
    from wenhuo.pretraining.training import Training

    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # saves 4 %
    prepared = prepared or work / PREPARED
    tokenizer = load(prepared / "tokenizer", Tokens(kind="tokens", tokenizer=options.start))
    model = make_model(options, tokenizer)
    _begin(model, prepared)
    limit = longest(model.inner)
    if limit is not None and options.max_tokens > limit:
        raise SettingsError(f"max_tokens is {options.max_tokens}, but {options.start} takes {limit}", "lower it")
    text = Text(read_rows(prepared), read_json(prepared / "prepared.json")["own_rows"], tokenizer, options, seed)
    if not len(text.train):
        raise DataError("pretrain: no text is left to learn from", "bring more text, or lower held_out_tokens")
    device, dtype = device_and_dtype(options.precision)
    model.to(device)
    _say_size(model, text)
    return Training(model, text, Course(options, int(text.lengths.sum())), dtype, work, watch)


def _begin(model: Any, prepared: Path) -> None:
    if (prepared / EMBEDDINGS).exists():
        import numpy as np

        from wenhuo.pretraining.beginnings import begin

        begin(model.inner.base_model, model.guess_bias, np.load(prepared / COUNTS), np.load(prepared / EMBEDDINGS))


def _say_size(model: Any, text: Any) -> None:
    parameters = sum(p.numel() for p in model.inner.parameters())
    rows = f"{len(text.train):,} rows of {int(text.lengths.sum()):,} tokens a pass"
    say(f"pretrain: {parameters:,} parameters, {len(text.tokenizer.inner):,} entries, {rows}")


def save_result(training: Training, folder: Path) -> None:
    """Write configuration, weights and tokenizer as transformers does."""
    from wenhuo.pretraining.model import longest, save_model

    save_model(training.model, folder)
    inner = training.text.tokenizer.inner
    unlimited, inner.model_max_length = inner.model_max_length, longest(training.model.inner) or int(1e9)
    inner.save_pretrained(folder)
    inner.model_max_length = unlimited


def _about_text(parts: Path, versions: dict[str, Any], prepared: Path) -> dict[str, Any]:
    """What text it was: the corpus's train rows, and for each file its version and what became of its lines."""
    corpus = read_json(parts / "dataset.json")
    found = read_json(prepared / "prepared.json")
    known = [version["version"] for version in versions["files"]]
    files = [file | {"version": version} for file, version in zip(found["files"], known, strict=True)]
    own = {"source": corpus["source"], "rows": corpus["rows"]["train"], "hash": corpus["hash"]["train"]}
    return {"corpus": own, "files": files, "lines_kept": found["kept"], "start": versions["start"]}


def _about_course(training: Training, progress: Any) -> dict[str, Any]:
    inner = training.model.inner
    last = {point.metric: point.value for point in progress.points if point.metric.startswith("held_out/")}
    return {
        "steps": progress.step,
        "tokens": progress.tokens,
        "passes": round(progress.tokens / training.course.pass_tokens, 4),
        "rows": {"train": len(training.text.train), "held_out": len(training.text.held_out)},
        "parameters": sum(p.numel() for p in inner.parameters()),
        "parameters_without_embeddings": sum(
            p.numel() for name, p in inner.base_model.named_parameters() if "embeddings" not in name
        ),
        "vocabulary": len(training.text.tokenizer.inner),
        "architecture": {"kind": inner.config.model_type, "layers": inner.config.num_hidden_layers},
        "objective": training.options.objective,
        "figures": last,
    }
