"""What is read of files, and what is left out and counted."""

import bz2
import gzip
import lzma

import pytest
import zstandard

from tests.wenhuo.pretraining.conftest import make_lines, options
from wenhuo.errors import DataError, SourceError
from wenhuo.pretraining import texts
from wenhuo.pretraining.files import find_files
from wenhuo.pretraining.selection import closest
from wenhuo.pretraining.versions import fingerprint

PACKED = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.compress, "": bytes}


def gather(tmp_path, parts, **more):
    return texts.gather(parts, options(**more), tmp_path / "texts.txt")


def test_no_text_of_validation_or_test_is_read(parts, measured, tmp_path):
    own = make_lines(20)
    spaced = [" ".join(text) for text in measured]  # white space aside they are the same
    wide = [text.replace("!", "！") + "\u200b" for text in measured]  # cleaned they are the same
    path = tmp_path / "lines.txt"
    path.write_text("\n".join([*own, *measured, *spaced, *wide]), encoding="utf-8")
    found = gather(tmp_path, parts, text=[str(path)])
    assert found.files[0]["held_back"] == 3 * len(measured)
    kept = list(found.lines())
    assert kept[found.own :] == own
    keys = {"".join(text.split()) for text in measured}
    assert not keys & {"".join(line.split()) for line in kept[found.own :]}


@pytest.mark.parametrize("ending", PACKED)
def test_files_may_be_packed_and_of_any_encoding(parts, tmp_path, ending):
    wanted = make_lines(30)
    for codec in ("utf-8-sig", "gb18030", "utf-16"):
        path = tmp_path / f"{codec}.txt{ending}"
        path.write_bytes(PACKED[ending]("\r\n".join(wanted).encode(codec)))
        found = gather(tmp_path, parts, text=[str(path)])
        assert list(found.lines())[found.own :] == wanted
        assert found.files[0]["lines"] == 30


def test_what_cannot_be_used_is_counted(parts, tmp_path):
    path = tmp_path / "lines.txt"
    good = make_lines(40)
    path.write_bytes("\n".join(good).encode() + b"\n\n\xe4\xbd\nab\n  \n" + "好的\u200b呀\n".encode())
    found = gather(tmp_path, parts, text=[str(path)])
    counts = {name: found.files[0][name] for name in texts.COUNTED}
    assert counts == {"lines": 45, "unreadable": 1, "short": 4, "held_back": 0, "kept": 40}


def test_texts_are_cleaned_as_the_corpus_is(parts, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("ＡＢＣ１２３<br>很好　很好\n", encoding="utf-8")
    found = gather(tmp_path, parts, text=[str(path)])
    assert list(found.lines())[found.own :] == ["ABC123 很好 很好"]


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"%PDF-1.4 ...", "is no text but PDF"), (gzip.compress(b"x" * 9999)[:-9], "cannot be unpacked as gzip")],
    ids=["PDF", "broken gzip"],  # a packed file holds the time, and no two workers would agree on the test's name
)
def test_what_is_no_text_is_a_clear_error(parts, tmp_path, content, error):
    path = tmp_path / "lines.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=error):
        gather(tmp_path, parts, text=[str(path)])


def test_no_text_at_all_is_a_clear_error(parts, tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(DataError, match="no line of text"):
        gather(tmp_path, parts, text=[str(path)], own_text=0)


def test_files_are_found_by_name_and_glob_each_once(tmp_path):
    for name in ("b.txt", "a.txt", "c.md"):
        (tmp_path / name).write_text("x\n", encoding="utf-8")
    found = find_files([str(tmp_path / "b.txt"), str(tmp_path / "*.txt")])
    assert [path.name for path in found] == ["b.txt", "a.txt"]
    with pytest.raises(SourceError, match="there is no file"):
        find_files([str(tmp_path / "*.csv")])
    with pytest.raises(SourceError, match=r"is a folder\n.*glob"):
        find_files([str(tmp_path)])


def test_a_changed_file_is_another_version(lines, tmp_path):
    chosen = options(text=[str(lines)])
    before = fingerprint(chosen, tmp_path / "cache.json")
    assert fingerprint(chosen, tmp_path / "cache.json") == before
    lines.write_text(lines.read_text(encoding="utf-8") + "又一行。\n", encoding="utf-8")
    assert fingerprint(chosen, tmp_path / "cache.json") != before


def test_the_lines_most_like_the_train_texts_are_kept():
    own = make_lines(50)
    others = [f"第{i}条法律规定由国务院另行制定并公布施行办法。" for i in range(100)]
    mixed = [line for pair in zip(make_lines(100, seed=1), others, strict=True) for line in pair]
    (kept,) = closest([own], mixed, mixed, 0.5)
    assert kept.sum() == 100
    assert kept[::2].all()
    both = closest([own, others], mixed, mixed, 0.5)
    assert both[0].tolist() == kept.tolist()
    assert both[1][1::2].all()
    assert [found.shape for found in closest([own], [], [], 0.5)] == [(0,)]
