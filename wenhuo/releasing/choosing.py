"""Of more text than there is time for, the lines that are most like what the backbone is for.

``like`` names data sets in any layout, labelled or not: their labels are never looked at, and their texts are compared
with, not learnt. Each is asked apart (Moore & Lewis 2010, :mod:`wenhuo.pretraining.selection`), so that reviews do not
crowd out titles; a line that one of them asks for is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wenhuo.console import say
from wenhuo.errors import DataError
from wenhuo.files import whole
from wenhuo.pretraining.files import find_files
from wenhuo.pretraining.selection import closest
from wenhuo.pretraining.texts import lines_of
from wenhuo.releasing.holding_out import texts_of


def choose(lines: Path, like: list[str], share: float) -> dict[str, Any]:
    """Keep, for each data set, this share of the lines; the file is written anew, whole.

    Args:
        lines: UTF-8, a line each.
        like: files and globs; what one of them names is one data set.
        share: of the lines that each keeps, in (0, 1].

    Returns:
        The share, how many of how many lines are kept, and for each data set its texts and the lines it asked for.

    Raises:
        SourceError: a file is not there.
        DataError: a data set has no text.
    """
    wanted = [[text for path in find_files([name]) for text in texts_of(path, lines.parent)] for name in like]
    for name, texts in zip(like, wanted, strict=True):
        if not texts:
            raise DataError(f"{name} has no text to compare lines with", "name a data set, or take it out of `like`")
    asked = closest(wanted, lines_of(lines), lines_of(lines), share)
    told: list[dict[str, Any]] = [
        {"like": "/".join(Path(name).parts[-2:]), "texts": len(texts), "lines": int(mask.sum())}
        for name, texts, mask in zip(like, wanted, asked, strict=True)
    ]
    kept: npt.NDArray[np.bool_] = np.logical_or.reduce(asked)
    with whole(lines) as made, made.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{line}\n" for line, chosen in zip(lines_of(lines), kept, strict=True) if chosen)
    say(f"choose: {int(kept.sum()):,} of {len(kept):,} lines, the most like {', '.join(one['like'] for one in told)}")
    return {"share": share, "of": len(kept), "kept": int(kept.sum()), "sets": told}
