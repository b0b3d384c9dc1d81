"""Look at the text and the evaluation sets, and write down which version each file is.

Run every time; what is written changes only when a file does, so that unchanged text re-runs nothing.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from wenhuo.settings import Section


class Params(Section):
    """The section ``texts``."""

    files: list[str] = Field(
        min_length=1, description="Files of text, or globs: a paragraph a line, plain or packed (.gz, .bz2, .xz, .zst)."
    )
    evaluation: list[str] = Field(
        [],
        description="Files, or globs, of what the backbone will be measured on; lines that stand there are left out.",
    )
    shortest: int = Field(6, ge=1, description="Lines of fewer letters and digits are left out.")
    like: list[str] = Field(
        [],
        description="Data sets, files or globs: of the lines only those most like the texts of one of them are kept.",
    )
    closest: float | None = Field(None, gt=0, le=1, description="Share of the lines that each of them keeps.")

    @model_validator(mode="after")
    def _both_or_neither(self) -> Params:
        if bool(self.like) != (self.closest is not None):
            raise ValueError("like and closest belong together: what lines are compared with, and how many are kept")
        return self


def run(params: Params, *, versions: Path) -> None:
    """Write the version of each file to ``versions`` (JSON).

    Raises:
        SourceError: a file is not there.
    """
    from wenhuo.console import say
    from wenhuo.files import write_json
    from wenhuo.pretraining.files import find_files
    from wenhuo.reading.local import file_versions

    cache = versions.with_name(f".{versions.stem}-hashes.json")
    given = {"text": params.files, "evaluation": params.evaluation, "like": params.like}
    found = {
        kind: file_versions(Path(), [path.as_posix() for path in find_files(names)], cache)
        for kind, names in given.items()
    }
    write_json(versions, found)
    size = sum(file["size"] or 0 for file in found["text"])
    say(f"texts: {len(found['text'])} files, {size / 1e6:,.1f} MB, {len(found['evaluation'])} of evaluation sets")
