"""Byte-level BPE, the same one that `tokenizer.json` describes, read from that file."""

import json
import re
from pathlib import Path

END_OF_TEXT = "<|endoftext|>"

# Whitespace is spelt out: \s means different sets in Python, JavaScript and Rust, and the three must cut alike.
PIECES = (
    r" ?[A-Za-z]+| ?[0-9]| ?[^ \t\n\r\x0b\x0cA-Za-z0-9]+|\n[ \t]*|[ \t\r\x0b\x0c]+"
)


def byte_characters() -> list[str]:
    """The printable character that stands for each byte in a byte-level tokenizer.json."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spare = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(spare)) for b in range(256)]


class Tokenizer:
    """Text to ids and back. Ids 0 to 255 are the bytes, then one id for each merge, then the end of text."""

    def __init__(self, path: Path):
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        characters = byte_characters()
        byte_of = {character: byte for byte, character in enumerate(characters)}

        def raw(token: str) -> bytes:
            return bytes(byte_of[character] for character in token)

        self.end_of_text: int = model["vocab"][END_OF_TEXT]
        self.id_of = {raw(token): id for token, id in model["vocab"].items() if token != END_OF_TEXT}
        self.bytes_of = {id: token for token, id in self.id_of.items()}
        pairs = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
        self.rank = {(raw(left), raw(right)): rank for rank, (left, right) in enumerate(pairs)}
        self.size = len(model["vocab"])
        self._pieces = re.compile(PIECES)
        self._known: dict[str, list[int]] = {}

    def _piece(self, piece: str) -> list[int]:
        ids = self._known.get(piece)
        if ids is None:
            parts = [bytes([byte]) for byte in piece.encode()]
            while len(parts) > 1:
                ranks = [self.rank.get(pair, len(self.rank)) for pair in zip(parts, parts[1:])]
                best = min(range(len(ranks)), key=ranks.__getitem__)
                if ranks[best] == len(self.rank):
                    break
                parts[best : best + 2] = [parts[best] + parts[best + 1]]
            ids = self._known[piece] = [self.id_of[part] for part in parts]
        return ids

    def encode(self, text: str) -> list[int]:
        return [id for piece in self._pieces.findall(text) for id in self._piece(piece)]

    def decode(self, ids: list[int]) -> str:
        end = END_OF_TEXT.encode()
        return b"".join(self.bytes_of.get(id, end) for id in ids).decode("utf-8", "replace")
