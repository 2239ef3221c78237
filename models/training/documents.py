"""Training documents of a fixed length: token ids, the weight of each in the loss, and the position each stands at.

Positions are what makes a long context cheap. RoPE sees only differences of positions, so a document of a few hundred
tokens whose positions jump over the missing ones teaches the distances of a context several times its length.
"""

import random
from dataclasses import dataclass

import numpy as np

from corpus import Part
from tokenizer import Tokenizer

ANSWER = 3.0  # weight of a token that can be known only from far back


@dataclass(frozen=True)
class Document:
    ids: np.ndarray
    weights: np.ndarray
    positions: np.ndarray


NAMES = (
    "Mara Otto Nina Paul Vera Hugo Lena Axel Ruth Felix Clara Oskar Tilda Bruno Greta Anton Edith Jonas Wanda Emil "
    "Frida Leo Thea Karl Ada Finn Ines Max Olga Rolf Sofia Tom"
).split()
CITIES = "Oslo Rome Paris Berlin Delhi Tokyo Lima Cairo Madrid Dublin Prague Vienna Athens Boston Quebec Lagos".split()
PETS = "owl cat dog fox hen crow mouse goat horse snake parrot rabbit turtle beaver otter lizard".split()
JOBS = "baker pilot nurse farmer tailor miller sailor painter doctor singer writer hunter cook judge clerk smith".split()
WORDS = (
    "alpha beta gamma delta count total index limit offset width height score level depth speed size left right first last"
).split()

# A record document as pieces of text, each with whether a reader of the records could have known it.
Pieces = list[tuple[str, bool]]


def _number(rng: random.Random) -> str:
    return f"{rng.randrange(1000):03d}"


def people(rng: random.Random, records: int, questions: int) -> Pieces:
    """Names with a city, a pet, a job and a code; then questions for one field of one of them."""
    known = {
        name: {"city": rng.choice(CITIES), "pet": rng.choice(PETS), "job": rng.choice(JOBS), "code": _number(rng)}
        for name in rng.sample(NAMES, min(records, len(NAMES)))
    }
    lines = [f"{name}: " + ", ".join(f"{k}={v}" for k, v in fields.items()) for name, fields in known.items()]
    pieces: Pieces = [("# people\n" + "\n".join(lines) + "\n# questions\n", False)]
    for _ in range(questions):
        name = rng.choice(list(known))
        field = rng.choice(list(known[name]))
        pieces += [(f"{name}.{field}?", False), (f" {known[name][field]}", True), ("\n", False)]
    return pieces


def restated(rng: random.Random, records: int, questions: int) -> Pieces:
    """JSON objects, one a person; then whole objects again, asked for by name."""
    known = {
        name: f'{{"name": "{name}", "city": "{rng.choice(CITIES)}", "job": "{rng.choice(JOBS)}", "id": {_number(rng)}}}'
        for name in rng.sample(NAMES, min(records, len(NAMES)))
    }
    pieces: Pieces = [("[\n" + ",\n".join(f"  {line}" for line in known.values()) + "\n]\n", False)]
    for _ in range(questions):
        name = rng.choice(list(known))
        pieces += [(f"find {name} ->", False), (f" {known[name]}", True), ("\n", False)]
    return pieces


def assignments(rng: random.Random, records: int, questions: int) -> Pieces:
    """Variables with values; then lines of code that state a value again."""
    values: dict[str, str] = {}
    while len(values) < records:
        values[f"{rng.choice(WORDS)}_{rng.choice(WORDS)}"] = _number(rng)
    pieces: Pieces = [("".join(f"let {name} = {value};\n" for name, value in values.items()), False)]
    for _ in range(questions):
        name = rng.choice(list(values))
        before, after = rng.choice([("check(%s,", ");"), ("assert(%s ==", ");"), ('print("%s is', '");')])
        pieces += [(before % name, False), (f" {values[name]}", True), (f"{after}\n", False)]
    return pieces


# Each kind with about how many tokens a record and a question of it take.
RECORDS = ((people, 24, 10), (restated, 34, 36), (assignments, 13, 14))


class Documents:
    def __init__(self, texts: dict[str, Part], tokenizer: Tokenizer, context: int, copied: float, seed: int):
        self.texts = texts
        self.tokenizer = tokenizer
        self.context = context
        self.copied = copied
        self.rng = random.Random(seed)

    def window(self, length: int) -> list[int]:
        """Consecutive tokens of a text; code and books get equal shares, books by their size."""
        books = [name for name in self.texts if name != "python"]
        sizes = [len(self.texts[name].ids) for name in books]
        name = "python" if self.rng.random() < 0.5 else self.rng.choices(books, sizes)[0]
        ids = self.texts[name].ids
        start = self.rng.randrange(len(ids) - length)
        return ids[start : start + length].tolist()

    def text(self, length: int) -> Document:
        return Document(np.array(self.window(length)), np.ones(length), np.arange(length))

    def copy(self, length: int) -> Document:
        """A passage, then passages of it again: all of it in turn, or pieces from anywhere in what came before."""
        rng = self.rng
        size = rng.randint(16, length // 2) if rng.random() < 0.5 else rng.randint(length // 3, length * 3 // 4)
        natural = rng.random() < 0.75
        ids = self.window(size) if natural else [rng.randrange(self.tokenizer.end_of_text) for _ in range(size)]
        ids = [self.tokenizer.end_of_text, *ids]
        weights = [float(natural)] * len(ids)
        in_turn = rng.random() < 0.6
        while len(ids) < length:
            again = ids[1 : size + 1]
            if not in_turn:
                start = rng.randrange(size - 12)
                again = again[start : start + rng.randint(12, 256)]
            ids += again
            # What a piece starts with cannot be known; that it goes on can.
            weights += [float(natural)] * min(3, len(again)) + [self.copied] * max(0, len(again) - 3)
        return Document(np.array(ids[:length]), np.array(weights[:length]), self.spread(length, size + 1))

    def records(self, length: int) -> Document:
        rng = self.rng
        ids: list[int] = []
        weights: list[float] = []
        while len(ids) < length:
            kind, record, question = rng.choice(RECORDS)
            room = min(length, rng.choice((128, 256, 512, length)))
            records = max(2, min(int(room * rng.uniform(0.25, 0.6) / record), 32 if kind is not assignments else 160))
            questions = max(3, (room - records * record) // question + 2)
            ids.append(self.tokenizer.end_of_text)
            weights.append(1.0)
            for text, answer in kind(rng, records, questions):
                encoded = self.tokenizer.encode(text)
                ids += encoded
                weights += [ANSWER if answer else 0.5] * len(encoded)
        return Document(np.array(ids[:length]), np.array(weights[:length]), self.spread(length, rng.randrange(1, length)))

    def spread(self, length: int, pause: int) -> np.ndarray:
        """Positions that jump at `pause` and at up to two other places, over part of the room the context leaves."""
        rng = self.rng
        room = self.context - length
        if room <= 0 or rng.random() < 0.2:
            return np.arange(length)
        jump = int(room * rng.random())
        at = [pause, *(rng.randrange(1, length) for _ in range(rng.randrange(3)))]
        shares = [rng.random() + (1.0 if place == pause else 0.0) for place in at]
        steps = np.ones(length, np.int64)
        steps[0] = 0
        for place, share in zip(at, shares):
            steps[min(place, length - 1)] += int(jump * share / sum(shares))
        return np.cumsum(steps)
