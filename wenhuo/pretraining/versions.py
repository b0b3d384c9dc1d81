"""Which version of its files, and of its checkpoint, a pretraining would read now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wenhuo.checkpoints import locate
from wenhuo.pretraining.files import find_files
from wenhuo.pretraining.options import SCRATCH, Pretraining
from wenhuo.reading.local import file_versions


def fingerprint(options: Pretraining, cache: Path) -> dict[str, Any]:
    """Which version of its files and of its checkpoint a pretraining would read now.

    Args:
        options: the pretraining's.
        cache: a JSON file that keeps the hashes of files that have not changed since.

    Raises:
        SourceError: a file or the checkpoint is not there.
    """
    paths = find_files(options.text)
    versions = file_versions(Path(), [path.as_posix() for path in paths], cache)
    start = None
    if options.start != SCRATCH:
        start = {"name": options.start, "commit": locate(options.start, options.revision).commit}
    return {"files": versions, "start": start}
