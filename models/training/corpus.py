"""The texts: books in one folder and the Python standard library, as arrays of token ids, each with a held-out part."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tokenizer import Tokenizer

HELD_OUT = 0.05
SKIPPED = {"test", "tests", "idlelib", "lib2to3", "encodings", "pydoc_data", "site-packages", "dist-packages", "__pycache__"}


@dataclass(frozen=True)
class Part:
    ids: np.ndarray
    utf8_bytes: int

    @property
    def bytes_per_token(self) -> float:
        return self.utf8_bytes / len(self.ids)


@dataclass(frozen=True)
class Corpus:
    train: dict[str, Part]
    held_out: dict[str, Part]


def _book_parts(path: Path) -> tuple[list[str], list[str]]:
    text = path.read_text(encoding="utf-8")
    cut = text.rindex("\n", 0, int(len(text) * (1 - HELD_OUT))) + 1
    return [text[:cut]], [text[cut:]]


def _books(folder: Path) -> dict[str, tuple[list[str], list[str]]]:
    """By title; files are named author_title or title."""
    return {"_".join(path.stem.split("_")[:2]).split("_")[-1]: _book_parts(path) for path in sorted(folder.glob("*.txt"))}


def held_out_text(books: Path) -> dict[str, str]:
    """What training never sees of each book."""
    return {title: "".join(rest) for title, (_, rest) in _books(books).items()}


def _code_parts(root: Path) -> tuple[list[str], list[str]]:
    files = sorted(f for f in root.rglob("*.py") if not SKIPPED.intersection(f.relative_to(root).parts))
    random.Random(1).shuffle(files)
    texts = [f.read_text(encoding="utf-8", errors="replace") for f in files]
    cut = int(len(texts) * HELD_OUT)
    return texts[cut:], texts[:cut]


def load_corpus(books: Path, code: Path, tokenizer: Tokenizer, cache: Path) -> Corpus:
    """Every book by its file name, and `python`. Token ids are kept under `cache` from one run to the next."""
    cache.mkdir(parents=True, exist_ok=True)

    def part(name: str, texts: list[str]) -> Part:
        whole = "".join(texts).encode()
        file = cache / f"{name}-{hashlib.sha256(whole).hexdigest()[:12]}.u16"
        if not file.exists():
            ids = [id for text in texts for id in (tokenizer.end_of_text, *tokenizer.encode(text))]
            np.array(ids, np.uint16).tofile(file)
        return Part(np.fromfile(file, np.uint16), len(whole))

    train, held_out = {}, {}
    for name, (some, rest) in {**_books(books), "python": _code_parts(code)}.items():
        train[name], held_out[name] = part(f"{name}-train", some), part(f"{name}-held-out", rest)
    return Corpus(train, held_out)
