"""Learns a byte-level BPE from texts and writes it as a Hugging Face tokenizer.json.

    python3 learn_tokenizer.py --size 1024 --out tokenizer.json TEXT...

The embedded model's came from 1.8 MB of Python's standard library, 0.9 MB of Shakespeare and 1 MB of generated records.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from tokenizer import END_OF_TEXT, PIECES, byte_characters

Pair = tuple[bytes, bytes]


def learn_merges(text: str, count: int) -> list[Pair]:
    """The most frequent pair of neighbours becomes one token, `count` times over; pieces are never joined."""
    frequency = Counter(re.compile(PIECES).findall(text))
    pieces = [[bytes([byte]) for byte in piece.encode()] for piece in frequency]
    weights = list(frequency.values())
    pairs: Counter[Pair] = Counter()
    found_in: dict[Pair, set[int]] = defaultdict(set)

    def count_pairs(index: int, sign: int) -> None:
        for pair in zip(pieces[index], pieces[index][1:]):
            pairs[pair] += sign * weights[index]
            found_in[pair].add(index)

    for index in range(len(pieces)):
        count_pairs(index, 1)
    merges: list[Pair] = []
    while len(merges) < count:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for index in list(found_in[best]):
            count_pairs(index, -1)
            joined: list[bytes] = []
            for part in pieces[index]:
                joined.append(part)
                if tuple(joined[-2:]) == best:
                    joined[-2:] = [best[0] + best[1]]
            pieces[index] = joined
            count_pairs(index, 1)
        del pairs[best]
    return merges


def tokenizer_json(merges: list[Pair]) -> dict[str, object]:
    characters = byte_characters()

    def spelt(token: bytes) -> str:
        return "".join(characters[byte] for byte in token)

    tokens = [*(bytes([byte]) for byte in range(256)), *(left + right for left, right in merges)]
    vocab = {**{spelt(token): id for id, token in enumerate(tokens)}, END_OF_TEXT: len(tokens)}
    end = len(tokens)
    begin = {"SpecialToken": {"id": END_OF_TEXT, "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": type_id}} for name, type_id in (("A", 0), ("B", 1)))
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": end, "content": END_OF_TEXT, **flags}],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": PIECES}, "behavior": "Isolated", "invert": False},
                byte_level,
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, first],
            "pair": [begin, first, second],
            "special_tokens": {END_OF_TEXT: {"id": END_OF_TEXT, "ids": [end], "tokens": [END_OF_TEXT]}},
        },
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": [[spelt(left), spelt(right)] for left, right in merges],
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--size", type=int, default=1024, help="ids in all: 256 bytes, the merges, the end of text")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    text = "".join(path.read_text(encoding="utf-8", errors="replace") for path in options.texts)
    merges = learn_merges(text, options.size - 257)
    options.out.write_text(json.dumps(tokenizer_json(merges), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
