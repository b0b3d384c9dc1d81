"""TF-IDF of character or word n-grams, by scikit-learn, stored as a table instead of a pickle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from wenhuo.encoding.options import Ngrams
from wenhuo.errors import DataError, ModelError
from wenhuo.files import whole
from wenhuo.text.segmentation import words

VOCABULARY = "vocabulary.parquet"


def _vectorizer(options: Ngrams, **more: Any) -> TfidfVectorizer:
    unit = {"analyzer": "char"} if options.unit == "characters" else {"tokenizer": words, "token_pattern": None}
    return TfidfVectorizer(
        **unit, ngram_range=(options.shortest, options.longest), sublinear_tf=True, dtype=np.float32, **more
    )


def fit(texts: Sequence[str], options: Ngrams) -> TfidfVectorizer:
    """Choose the n-grams and their inverse document frequencies from train texts.

    Raises:
        DataError: no n-gram stands in ``min_rows`` rows.
    """
    vectorizer = _vectorizer(options, min_df=options.min_rows, max_features=options.max_features)
    try:
        return vectorizer.fit(texts)
    except ValueError:
        raise DataError(
            f"no n-gram stands in {options.min_rows} or more of the {len(texts)} train rows",
            "lower min_rows of this encoder in params.yaml, or bring more rows",
        ) from None


def transform(vectorizer: TfidfVectorizer, texts: Sequence[str]) -> csr_matrix:
    """The weights of texts, shape (n, features), float32, rows of length 1."""
    matrix = vectorizer.transform(texts).astype(np.float32)
    matrix.sort_indices()
    return matrix


def save(vectorizer: TfidfVectorizer, folder: Path) -> None:
    """Write the n-grams, in column order, and their inverse document frequencies."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pl.DataFrame({"ngram": vectorizer.get_feature_names_out().astype(object), "idf": vectorizer.idf_})
    with whole(folder / VOCABULARY) as path:
        table.write_parquet(path, compression="zstd")


def load(folder: Path, options: Ngrams) -> TfidfVectorizer:
    """The vectorizer that :func:`save` wrote.

    Raises:
        ModelError: its table is missing or damaged.
    """
    try:
        table = pl.read_parquet(folder / VOCABULARY, columns=["ngram", "idf"])
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        what = f"{folder / VOCABULARY} is missing or damaged: {reason}"
        raise ModelError(what, "restore the folder with `dvc checkout`") from None
    vectorizer = _vectorizer(options, vocabulary={ngram: i for i, ngram in enumerate(table["ngram"].to_list())})
    vectorizer.idf_ = table["idf"].to_numpy().astype(np.float32)
    return vectorizer
