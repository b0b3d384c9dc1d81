"""Look at the sources and write down which version each is now.

Run by ``dvc repro`` every time; by hand: ``python -m tasks source --fingerprint data/source.json``. What is written
changes only when a source does, so that unchanged sources re-run nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.ingest import Params, cache_beside
from wenhuo.console import say
from wenhuo.files import write_json
from wenhuo.reading.options import sources_of


def run(params: Params, *, fingerprint: Path) -> None:
    """Write the fingerprint of the sources.

    Args:
        params: the section ``ingest``.
        fingerprint: JSON: for each source its name, kind, files (path, version, size), the files ignored, the file of
            label names.

    Raises:
        SourceError: a source cannot be reached, or leaves a doubt.
    """
    from wenhuo.reading.sources import fingerprint as look

    found = look(sources_of(params), cache_beside(fingerprint))
    write_json(fingerprint, found)
    for source in found["sources"]:
        say(_line(source))


def _line(source: dict[str, Any]) -> str:
    count, size = len(source["files"]), sum(file["size"] or 0 for file in source["files"])
    what = f"{count} file{'s' * (count != 1)}, {size / 1e3:,.0f} kB" if size else source["files"][0]["version"]
    return f"source {source['source']}: {what}"
