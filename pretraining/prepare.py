"""Make the vocabulary, cut the text into rows of ids, count what the embeddings begin from."""

from __future__ import annotations

from pathlib import Path

from pretraining.pretrain import Params, options_of


def run(params: Params, *, lines: Path, prepared: Path) -> None:
    """Write all that the pretraining reads to the folder ``prepared``, whole or not at all."""
    from wenhuo.pretraining.preparing import prepare

    prepare(options_of(params, lines), None, prepared)
