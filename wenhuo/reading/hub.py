"""Data sets of the Hugging Face hub: ``hf://owner/name[/configuration][@revision]``, read at a commit.

The environment is the hub library's own: HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from wenhuo.errors import DataError, SourceError, WenhuoError
from wenhuo.reading.columns import Wanted, find_columns
from wenhuo.reading.folder import SPLITS
from wenhuo.reading.formats import Reading
from wenhuo.reading.local import FileVersion, missing_hint
from wenhuo.reading.records import Chunk

BATCH_ROWS = 8192
LOOK_SECONDS = 30

_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:/([\w.-]+))?(?:@([\w./-]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubSource(NamedTuple):
    """A data set: ``owner/name``, one of its configurations (None: its only one), a revision (None: the newest)."""

    repository: str
    configuration: str | None
    revision: str | None


def parse_hub(source: str) -> HubSource:
    """The parts of an ``hf://`` address.

    Raises:
        ValueError: it is not of that form.
    """
    match = _ADDRESS.fullmatch(source)
    if not match:
        raise ValueError(
            f"{source} is not hf://owner/name, hf://owner/name@revision or hf://owner/name/configuration@revision"
        )
    return HubSource(match[1], match[2], match[3])


def hub_version(source: str) -> FileVersion:
    """The commit that a source is at now; one named in full is taken as it is, without the network.

    Raises:
        SourceError: the hub or the data set cannot be reached.
    """
    hub = parse_hub(source)
    commit = hub.revision
    if not commit or not _COMMIT.fullmatch(commit):
        try:
            from huggingface_hub import HfApi

            commit = HfApi().dataset_info(hub.repository, revision=hub.revision, timeout=LOOK_SECONDS).sha
        except Exception as error:
            raise _unreachable(source, error) from None
    return {"path": hub.repository, "version": f"commit:{commit}", "size": None}


def hub_readings(source: str, version: str, wanted: Wanted) -> Iterator[Reading]:
    """The splits of a data set: train, validation and test; what is the only split, or has no known one, as undivided.

    Raises:
        SourceError: the data set cannot be loaded.
        DataError: the columns are in doubt.
    """
    hub, commit = parse_hub(source), version.removeprefix("commit:")
    parts = _load(source, hub, commit)
    known = {name: SPLITS[name.casefold()] for name in parts if name.casefold() in SPLITS}
    divided = len(parts) > 1 and bool(known)
    ignored = tuple(name for name in parts if divided and name not in known)
    for name, rows in parts.items():
        if name in ignored:
            continue
        if not len(rows):
            raise DataError(f"{source}: the split {name} holds no rows", "name another configuration or revision")
        yield _read_split(rows, name, known[name] if divided else None, wanted, ignored)


def _load(source: str, hub: HubSource, commit: str) -> dict[str, Any]:
    """The data set at a commit, by split.

    What was prepared before is taken as it is: a commit never changes. Otherwise ``datasets`` prepares it; when it
    cannot reach the hub it falls back on whatever revision it prepared last, so its builder's commit is compared.
    """
    try:
        import datasets

        if not sys.stderr.isatty():
            datasets.disable_progress_bars()
        builder = _prepared(hub, commit)
        if builder is None:
            builder = datasets.load_dataset_builder(hub.repository, hub.configuration, revision=commit)
            if builder.hash != commit:
                raise SourceError(f"ingest.source: {source}: the hub cannot be reached", missing_hint())
            builder.download_and_prepare()
        return dict(builder.as_dataset())
    except WenhuoError:
        raise
    except Exception as error:
        raise _unreachable(source, error) from None


def _prepared(hub: HubSource, commit: str) -> Any:
    """The builder of what ``datasets`` keeps of this commit (owner___name/configuration/version/commit), or None."""
    from datasets import config
    from datasets.naming import camelcase_to_snakecase
    from datasets.packaged_modules.cache.cache import Cache

    owner, name = hub.repository.split("/")
    folder = Path(config.HF_DATASETS_CACHE).expanduser() / f"{owner}___{camelcase_to_snakecase(name)}"
    found = sorted(folder.glob(f"{hub.configuration or '*'}/*/{commit}/dataset_info.json"))
    if len(found) != 1:
        return None
    configuration, version = found[0].parts[-4:-2]
    return Cache(dataset_name=name, repo_id=hub.repository, config_name=configuration, version=version, hash=commit)


def _read_split(rows: Any, name: str, split: str | None, wanted: Wanted, ignored: tuple[str, ...]) -> Reading:
    columns = find_columns(rows.column_names, wanted, name)
    feature = rows.features[columns.label]
    names = None if wanted.named else getattr(feature, "names", None)

    def chunks() -> Iterator[Chunk]:
        from wenhuo.reading.arrowrecords import read_batch

        row = 1
        for table in rows.select_columns(list(columns)).with_format("arrow").iter(BATCH_ROWS):
            yield read_batch(table, columns, names, row)
            row += table.num_rows

    return Reading(name, split, "hub", None, columns, chunks(), names, ignored)


def _unreachable(source: str, error: Exception) -> SourceError:
    """What the hub's libraries raise, in one sentence."""
    reason = " ".join(str(error).split())[:300]
    hint = missing_hint()
    if "config" in reason.lower() and "name" in reason.lower() and isinstance(error, ValueError):
        hint = f"name one of its configurations: {source.partition('@')[0]}/CONFIGURATION"
    return SourceError(f"ingest.source: {source} cannot be loaded: {type(error).__name__}: {reason}", hint)
