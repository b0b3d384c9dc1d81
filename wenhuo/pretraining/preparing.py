"""From files of text to what a pretraining reads: a vocabulary, rows of ids, counts to begin from."""

from __future__ import annotations

from itertools import chain, compress, islice
from pathlib import Path
from typing import Any

from wenhuo.console import say
from wenhuo.errors import DataError
from wenhuo.files import whole, write_json
from wenhuo.pretraining.options import SCRATCH, Pretraining

COUNTS, EMBEDDINGS = "counts.npy", "embeddings.npy"


def prepare(options: Pretraining, parts: Path | None, target: Path) -> None:
    """Write vocabulary and rows of ids to ``target``, whole or not at all; nothing where it is there already.

    Without ``parts`` the files are taken as they are: cleaned, and held apart from what will be measured.
    """
    if target.exists():
        return
    from wenhuo.encoding.tokens import save
    from wenhuo.pretraining import texts, tokens
    from wenhuo.pretraining.store import write_rows

    with whole(target) as made:
        made.mkdir()
        gathered = texts.gather(parts, options, made / "texts.txt")
        kept = _chosen(options, gathered)
        own = gathered.own * bool(options.own_text)
        tokenizer = tokens.make_tokenizer(options, _lines(gathered, kept, own))
        save(tokenizer, made / "tokenizer")
        first = _Count()
        pieces = chain(
            first.through(tokens.chunks(islice(gathered.lines(), own), tokenizer, options)),
            tokens.chunks(_lines(gathered, kept, 0), tokenizer, options),
        )
        write_rows(made, pieces, len(tokenizer.inner))
        write_json(made / "prepared.json", {"own_rows": first.rows, "files": gathered.files, "kept": int(kept.sum())})
        gathered.path.unlink()
        if options.start == SCRATCH and options.begin == "counts":
            _write_beginning(options, made, len(tokenizer.inner))


def _write_beginning(options: Pretraining, made: Path, vocabulary: int) -> None:
    import numpy as np

    from wenhuo.pretraining.beginnings import embeddings, frequencies
    from wenhuo.pretraining.store import read_rows

    rows = read_rows(made)
    np.save(made / COUNTS, frequencies(rows, vocabulary))
    np.save(made / EMBEDDINGS, embeddings(rows, vocabulary, options.embedding or options.hidden, seed=0))


class _Count:
    """Counts the rows that pass."""

    def __init__(self) -> None:
        self.rows = 0

    def through(self, pieces: Any) -> Any:
        for piece in pieces:
            self.rows += len(piece.lengths)
            yield piece


def _chosen(options: Pretraining, gathered: Any) -> Any:
    """Which of the files' lines are kept, as a mask."""
    import numpy as np

    from wenhuo.pretraining.selection import closest

    if options.closest is None or not gathered.others:
        return np.ones(gathered.others, dtype=np.bool_)
    if not gathered.own:
        raise DataError("pretrain: `closest` needs train texts to compare with", "bring train rows, or set it to null")
    own = islice(gathered.lines(), gathered.own)
    first, again = (islice(gathered.lines(), gathered.own, None) for _ in range(2))
    (kept,) = closest([own], first, again, options.closest)
    say(f"pretrain: {int(kept.sum()):,} of {len(kept):,} lines are kept, the most like the train texts")
    return kept


def _lines(gathered: Any, kept: Any, own: int) -> Any:
    """The first ``own`` of the corpus's texts and the kept lines of the files."""
    others = compress(islice(gathered.lines(), gathered.own, None), kept)
    return chain(islice(gathered.lines(), own), others)
