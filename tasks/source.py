"""Look at the source and write down which version it is now.

Run by ``dvc repro`` every time; by hand: ``python -m tasks source --fingerprint data/source.json``. What is written
changes only when the source does, so that an unchanged source re-runs nothing.
"""

from __future__ import annotations

from pathlib import Path

from tasks.ingest import Params, cache_beside, names_file
from wenhuo.console import say
from wenhuo.files import write_json
from wenhuo.reading.sources import fingerprint as look


def run(params: Params, *, fingerprint: Path) -> None:
    """Write the source's fingerprint.

    Args:
        params: the section ``ingest``.
        fingerprint: JSON: kind, source, files (path, version, size), the files ignored, the file of label names.

    Raises:
        SourceError: the source cannot be reached, or leaves a doubt.
    """
    found = look(params.source, names_file(params), cache_beside(fingerprint))
    write_json(fingerprint, found)
    count, size = len(found["files"]), sum(file["size"] or 0 for file in found["files"])
    what = f"{count} file{'s' * (count != 1)}, {size / 1e3:,.0f} kB" if size else found["files"][0]["version"]
    say(f"source {found['source']}: {what}")
