"""encode: texts to numbers, with one encoder fitted on the train rows.

Train and validation rows are written as Arrow files for `train`; the test rows are only counted, so that no training
can see them. Train rows with a suspect label are dropped or relabelled where `audit` says so; by default it never does.
The report tells lengths, truncation and what the encoder does not know.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from wenhuo.encoding.options import EncoderOptions
from wenhuo.settings import Section, check_names


class Params(Section):
    """The section ``encode``."""

    encoders: dict[str, EncoderOptions] = Field(min_length=1, description="Encoders by name; candidates refer to them.")

    _names = field_validator("encoders")(check_names)


def run(params: Params, *, name: str, parts: Path, suspects: Path, encoded: Path, report: Path) -> None:
    """Fit the encoder ``name`` and write ``encoded`` (a folder) and ``report`` (JSON)."""
    from wenhuo.console import say
    from wenhuo.encoding import corpus
    from wenhuo.files import write_json

    options = params.encoders[name]
    dataset, changed = corpus.follow(corpus.read_dataset(parts), suspects)
    found = corpus.encode(options, dataset, encoded)
    write_json(report, {"encoder": name, **found} | ({"suspects": changed} if changed else {}))
    for action, rows in changed.items():
        say(f"encode: {name}, {rows:,} train rows with a suspect label: {action}")
    train = found["train"]
    say(
        f"encode: {name}, {found['entries']:,} entries; train rows have {train['length']['median']:g} at the median, "
        f"{train['cut_share']:.1%} are cut, {train['unknown_share']:.2%} unknown"
    )
    if (pretrained := train.get("pretrained_on")) and pretrained["longer_share"]:
        say(
            f"encode: {name}, {pretrained['longer_share']:.1%} of the train rows are longer than the rows of "
            f"{pretrained['tokens']} tokens that the backbone was pretrained on: beyond it knows nothing yet"
        )
