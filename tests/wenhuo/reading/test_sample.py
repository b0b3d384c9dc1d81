"""The built-in sample: same bytes everywhere, and every planted defect stands in the files as often as it says."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from wenhuo.files import sha256
from wenhuo.reading import sample_marks as marks
from wenhuo.reading.sample import ENCODINGS, LABELS, PLANTED, ROWS, write_sample
from wenhuo.reading.sample_text import DOMAINS, LONGEST, grammar, write_review

ROOT = Path(__file__).resolve().parents[3]
PARTS = {name: name.split("-")[0].split(".")[0].replace("dev", "validation") for name in ENCODINGS}

Rows = list[tuple[str, str]]


@pytest.fixture(scope="module", params=[13, 1])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("sample") / "new"
    write_sample(target, request.param)
    return target


@pytest.fixture(scope="module")
def records(folder: Path) -> dict[str, list[list[str]]]:
    return {name: read(folder / name) for name in ENCODINGS}


@pytest.fixture(scope="module")
def parts(records: dict[str, list[list[str]]]) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for name, rows in records.items():
        found[PARTS[name]] += [(row[0], row[1]) for row in rows if len(row) == 2 and row[1]]
    return found


@pytest.fixture(scope="module")
def everything(parts: dict[str, Rows]) -> Rows:
    return [row for rows in parts.values() for row in rows]


def read(path: Path) -> list[list[str]]:
    """The cells below the header, read the plain way: csv, split at tabs, json."""
    text = path.read_bytes().decode(ENCODINGS[path.name])
    if path.suffix == ".jsonl":
        return [[record["text"], record["label"]] for record in map(json.loads, text.removesuffix("\n").split("\n"))]
    if path.suffix == ".tsv":
        rows = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
    else:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert rows[0] == ["text", "label"]
    return rows[1:]


def key(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def spoken(rows: Rows) -> Rows:
    """The rows that say something, with their labels trimmed."""
    return [(text, label.strip()) for text, label in rows if text.strip()]


def test_equal_seeds_give_equal_bytes_in_every_process(tmp_path: Path) -> None:
    for hash_seed in "01":
        code = f"from pathlib import Path; from wenhuo.reading.sample import *; write_sample(Path({hash_seed!r}), 13)"
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert {sha256(tmp_path / "0" / name) for name in ENCODINGS} == {
        sha256(tmp_path / "1" / name) for name in ENCODINGS
    }
    assert sorted(path.name for path in (tmp_path / "0").iterdir()) == sorted(ENCODINGS)


def test_another_seed_gives_other_texts(tmp_path: Path) -> None:
    write_sample(tmp_path, 13)
    before = {name: sha256(tmp_path / name) for name in ENCODINGS}
    write_sample(tmp_path, 14)
    assert all(sha256(tmp_path / name) != before[name] for name in ENCODINGS)


def test_writing_is_quick(tmp_path: Path) -> None:
    started = process_time()
    write_sample(tmp_path)
    assert process_time() - started < 1.5, "0.3 s of processor time measured"


def test_parts_have_their_rows(parts: dict[str, Rows]) -> None:
    assert {part: len(rows) for part, rows in parts.items()} == ROWS
    assert sum(ROWS.values()) == 4000


def test_unreadable_lines(records: dict[str, list[list[str]]]) -> None:
    rows = [row for rows in records.values() for row in rows]
    assert sum(len(row) > 2 for row in rows) == PLANTED["extra_column"]
    assert sum(len(row) == 2 and not row[1].strip() for row in rows) == PLANTED["missing_label"]


def test_repeats_in_train(parts: dict[str, Rows]) -> None:
    train = spoken(parts["train"])
    texts = defaultdict(set)
    for text, label in train:
        texts[key(text)].add(label)
    contradicting = sum(len(labels) == 2 for labels in texts.values())
    assert contradicting == PLANTED["contradicting_texts"]
    assert len(train) - len(set(train)) == PLANTED["repeats"]
    same = len(train) - len(texts) - contradicting
    assert same == PLANTED["repeats"] + PLANTED["repeats_in_disguise"]


def test_disguised_repeats_come_later(records: dict[str, list[list[str]]]) -> None:
    disguises = 0
    for name in (name for name in records if PARTS[name] == "train"):
        seen: dict[str, str] = {}
        for text, *_ in (row for row in records[name] if row[0].strip()):
            first = seen.setdefault(key(text), text)
            disguises += first != text
            assert first == text or first.strip() == first, "the original is the plain one"
    assert disguises == PLANTED["repeats_in_disguise"]


@pytest.mark.parametrize("same", [str, key])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_held_out_rows_in_train(parts: dict[str, Rows], part: str, same: "type[str]") -> None:
    held = {same(text): label for text, label in spoken(parts[part])}
    copies = [(text, label) for text, label in spoken(parts["train"]) if same(text) in held]
    assert len(copies) == PLANTED[f"{part}_rows_in_train"]
    assert all(held[same(text)] == label for text, label in copies)
    assert len(held) == ROWS[part], "held-out rows repeat none of their own part"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("full_width", "[０-９Ａ-Ｚａ-ｚ]"),
        ("web_remains", "<br/>|<p>|&nbsp;|&amp;"),
        ("zero_width", f"[{marks.ZERO_WIDTH}]"),
        ("rare", "[\u3400-\u4dbf\U00020000-\U0003ffff]"),
        ("line_breaks", "\n"),
        ("blank", r"^\s+$"),
    ],
)
def test_marked_texts(everything: Rows, name: str, pattern: str) -> None:
    assert sum(bool(re.search(pattern, text)) for text, _ in everything) == PLANTED[name]


def test_traditional_rows(everything: Rows) -> None:
    """GB2312 has the simplified characters and hardly a traditional one."""
    ideographs = [re.sub("[^\u4e00-\u9fff]", "", text) for text, _ in everything]
    assert sum(text.encode("gb2312", "ignore") != text.encode("gbk") for text in ideographs) == PLANTED["traditional"]


def test_labels_with_spaces(everything: Rows) -> None:
    spaced = [label for _, label in everything if label != label.strip()]
    assert len(spaced) == PLANTED["labels_with_spaces"]
    assert sum("\u3000" in label for label in spaced) == len(spaced) // 2
    assert {label.strip() for _, label in everything} == set(LABELS)


def test_encodings(folder: Path, records: dict[str, list[list[str]]]) -> None:
    books = (folder / "train-books.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        books.decode("utf-8")
    with pytest.raises(UnicodeDecodeError):
        books.decode("gbk")
    assert any(len(character.encode("gb18030")) == 4 for row in records["train-books.csv"] for character in row[0])
    assert (folder / "dev.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in books
    assert b"\r" not in (folder / "train-hotels.csv").read_bytes()


def test_every_label_and_length(everything: Rows) -> None:
    counts = Counter(label for _, label in spoken(everything))
    assert min(counts.values()) >= 0.2 * len(everything)
    lengths = sorted(len(text) for text, _ in everything if text.strip())
    assert lengths[0] >= 5
    assert lengths[len(lengths) // 10] <= 20
    assert 25 <= lengths[len(lengths) // 2] <= 45
    assert lengths[-len(lengths) // 50] >= 100
    assert 150 <= lengths[-1] <= LONGEST + 30, "marks lengthen a text a little"


def test_difficulty(parts: dict[str, Rows]) -> None:
    """A linear model neither fails nor solves it: order decides in every fifth review and some labels are wrong."""
    held = {key(text) for part in ("validation", "test") for text, _ in parts[part]}
    train = {key(text): label for text, label in spoken(parts["train"]) if key(text) not in held}
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    model = LinearSVC(C=0.5).fit(vectorizer.fit_transform(train), list(train.values()))
    texts, labels = zip(*spoken(parts["test"]), strict=True)
    assert 0.80 < model.score(vectorizer.transform(map(key, texts)), labels) < 0.97


def test_every_slot_of_the_grammar_is_known() -> None:
    rules = grammar()
    for domain in DOMAINS:
        own = rules["domains"][domain]
        known = {*rules["words"], *rules["clauses"], *own["words"], "aspect"} | set.intersection(
            *map(set, own["aspects"])
        )
        for text in strings([rules["reviews"], rules["clauses"], rules["words"], own]):
            slots = [slot.removesuffix("?") for slot in re.findall(r"\{([^}]*)\}", text)]
            assert {slot for slot in slots if not re.fullmatch(r"\d+\.\.\d+", slot)} <= known, text
            assert "  *" not in text


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in strings(item)] if isinstance(value, list) else [str(value)]


@given(st.integers(0, 2**32), st.sampled_from(DOMAINS), st.sampled_from(LABELS))
def test_reviews_are_whole(seed: int, domain: str, label: str) -> None:
    text = write_review(Random(seed), domain, label)
    assert 1 <= len(text) <= LONGEST
    assert text == text.strip()
    assert not re.search(r"[{}*\t\n\r]", text)
    assert not re.search("，，|，。(?!。)|^[，。]", text)
    assert marks.traditional(text) == marks.traditional(marks.traditional(text))
    assert key(marks.full_width(text)) == key(text)
