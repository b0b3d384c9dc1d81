"""Look at the files without labels that a backbone is pretrained on, and write down which version each is.

Run by ``dvc repro`` every time for each entry of ``pretrain.backbones``, of which there are none by default. What is
written changes only when a file, or the checkpoint to go on from, does, so that unchanged text re-runs nothing.
"""

from __future__ import annotations

from pathlib import Path

from tasks.pretrain import Params


def run(params: Params, *, name: str, versions: Path) -> None:
    """Write the versions of the files of the backbone ``name``.

    Args:
        params: the section ``pretrain``.
        name: the backbone's.
        versions: JSON: each file with version and size, and the checkpoint with its commit.

    Raises:
        SourceError: a file or the checkpoint is not there.
    """
    from wenhuo.console import say
    from wenhuo.files import write_json
    from wenhuo.pretraining.versions import fingerprint

    found = fingerprint(params.backbones[name], versions.with_name(f".{name}-hashes.json"))
    write_json(versions, found)
    size = sum(file["size"] or 0 for file in found["files"])
    say(f"texts: {name}, {len(found['files'])} files, {size / 1e6:,.1f} MB")
