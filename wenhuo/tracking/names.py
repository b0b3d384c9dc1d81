"""Names in the registry."""

from __future__ import annotations

import re
from pathlib import PurePosixPath


def registered_name(source: str) -> str:
    """The registered model's name for a source: ``wenhuo-`` and its folder, file or data set.

    >>> registered_name("../data/chnsenticorp")
    'wenhuo-chnsenticorp'
    >>> registered_name("hf://lansinuote/ChnSentiCorp@main")
    'wenhuo-chnsenticorp'
    """
    path = source.partition("@")[0] if source.startswith("hf://") else source.partition("?")[0]
    stem = PurePosixPath(path.rstrip("/")).name.split(".")[0]
    slug = re.sub(r"[\W_]+", "-", stem.lower()).strip("-")
    return f"wenhuo-{slug or 'corpus'}"
