"""Writes `prompts/` of a model folder: texts the model was not trained on, for demos and for measuring acceptance.

    python3 prompts.py --model MODEL --books BOOKS

`copy-N.txt` ends where a passage of N tokens has begun again, so that what goes on lies N tokens back.
`code.txt` was written by hand and is left as it is.
"""

import argparse
import random
import re
from pathlib import Path

from corpus import held_out_text
from documents import RECORDS
from tokenizer import Tokenizer

BOOKS = {"novel": "moby-dick", "diary": "the-diary", "play": "tinyshakespeare"}
TEXT_TOKENS = {"novel": 700, "diary": 1500, "play": 1000}
COPIES = {512: "war-and-peace", 1024: "bleak-house", 2048: "moby-dick", 3072: "war-and-peace"}
BEGUN = 48  # tokens of the second time that the prompt holds
RECORD_COUNTS = {"people": 24, "restated": 20, "assignments": 120}


def cut(text: str, tokens: int, tokenizer: Tokenizer) -> str:
    """The longest beginning of `text`, cut between words, of at most `tokens` tokens."""
    end, used = 0, 0
    for word in re.finditer(r"\s*\S+", text):
        used += len(tokenizer.encode(word.group()))
        if used > tokens:
            break
        end = word.end()
    return text[:end]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--books", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer(options.model / "tokenizer.json")
    rng = random.Random(5)
    held_out = held_out_text(options.books)

    def excerpt(book: str, tokens: int) -> str:
        text = held_out[book]
        paragraphs = [m.end() for m in re.finditer(r"\n+", text[: len(text) * 3 // 4])]
        return cut(text[rng.choice(paragraphs) :].strip(), tokens, tokenizer)

    texts = {name: excerpt(book, TEXT_TOKENS[name]) for name, book in BOOKS.items()}
    for distance, book in COPIES.items():
        passage = excerpt(book, distance)
        texts[f"copy-{distance}"] = f"{passage}\n\n{cut(passage, BEGUN, tokenizer)}"
    for kind, _, _ in RECORDS:
        pieces = kind(rng, RECORD_COUNTS[kind.__name__], 4)
        last = max(i for i, (_, answer) in enumerate(pieces) if answer)
        texts[f"records-{kind.__name__}"] = "".join(text for text, _ in pieces[:last])

    folder = options.model / "prompts"
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    for path in sorted(folder.glob("*.txt")):
        print(f"{path.name}: {len(tokenizer.encode(path.read_text(encoding='utf-8')))} tokens")


if __name__ == "__main__":
    main()
