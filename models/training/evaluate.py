"""Measures a model folder and writes `measured.json` into it: the figures of the model card.

    python3 evaluate.py --model MODEL --books BOOKS [--prompts 16]
"""

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from compression import OBSERVED, snapkv, window
from corpus import Part, load_corpus
from documents import RECORDS
from measure import CUE, copy_prompt, nats_per_byte
from reference import Cache, Reference
from tokenizer import Tokenizer
from weights import read_model

# The model that training started from divided these texts otherwise, and may have seen a part of what is held out here.
SEEN_EARLIER = ("python", "tinyshakespeare")
GATE_DISTANCE, GATE_ACCURACY = 3072, 0.95
Answer = Callable[[Cache], float]

CACHES = {
    "full": lambda cache, _: cache,
    "window, keep 0.50": lambda cache, _: window(cache, 0.5),
    "window, keep 0.25": lambda cache, _: window(cache, 0.25),
    "SnapKV, keep 0.50": lambda cache, watched: snapkv(cache, 0.5, watched),
    "SnapKV, keep 0.25": lambda cache, watched: snapkv(cache, 0.25, watched),
}


def after_prompt(model: Reference, prompt: list[int], score: Answer) -> dict[str, float]:
    """`score` of the cache of a prompt, whole and compressed once at its end. The last token of the prompt is left to `score`."""
    cache = Cache()
    known = prompt[:-1]
    model.forward(known[:-OBSERVED], cache)
    watched: list[np.ndarray] = []
    model.forward(known[-OBSERVED:], cache, watched)
    return {name: score(compress(cache, watched).copy()) for name, compress in CACHES.items()}


def copying(model: Reference, prompt: list[int], distance: int) -> dict[str, float]:
    """Teacher-forced: share of repeated tokens ranked first, once the first few have shown that a repeat has begun."""
    begun = 1 + distance + CUE

    def score(cache: Cache) -> float:
        logits = model.forward(prompt[begun - 1 : -1], cache)
        return float(np.mean(logits.argmax(-1) == prompt[begun:]))

    return after_prompt(model, prompt[:begun], score)


def copies(model: Reference, texts: dict[str, Part], tokenizer: Tokenizer, distance: int, prompts: int) -> dict[str, float]:
    rng = random.Random(11)
    return mean([copying(model, copy_prompt(texts, tokenizer.end_of_text, distance, rng), distance) for _ in range(prompts)])


def recall(model: Reference, tokenizer: Tokenizer, kind: int, records: int, rng: random.Random) -> dict[str, float]:
    """Whether every token of an answer about generated records is ranked first."""
    told, question, answer = (text for text, _ in RECORDS[kind][0](rng, records, questions=1)[:3])
    prompt = [tokenizer.end_of_text, *tokenizer.encode(told), *tokenizer.encode(question)]
    expected = tokenizer.encode(answer)

    def score(cache: Cache) -> float:
        logits = model.forward([prompt[-1], *expected[:-1]], cache)
        return float(np.all(logits.argmax(-1) == expected))

    return after_prompt(model, prompt, score)


def mean(results: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([result[name] for result in results])), 4) for name in results[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--books", type=Path, required=True)
    parser.add_argument("--code", type=Path, default=Path("/usr/lib/python3.11"))
    parser.add_argument("--cache", type=Path, required=True, help="folder for the token ids of the corpus")
    parser.add_argument("--prompts", type=int, default=16)
    options = parser.parse_args()
    tokenizer = Tokenizer(options.model / "tokenizer.json")
    corpus = load_corpus(options.books, options.code, tokenizer, options.cache)
    model = Reference(options.model)
    context = model.config["max_position_embeddings"]
    trained = read_model(options.model)
    unseen = {name: part for name, part in corpus.held_out.items() if name not in SEEN_EARLIER}

    results: dict[str, object] = {
        "prompts": options.prompts,
        "nats_per_byte": {
            name: {str(length): round(nats_per_byte(trained, part, length, options.prompts), 4) for length in (256, 1024)}
            for name, part in corpus.held_out.items()
        },
        "copy_accuracy": {
            str(distance): copies(model, corpus.held_out, tokenizer, distance, options.prompts)
            for distance in (256, 512, 1024, 2048, 3072, 3584)
            if distance + 512 <= context
        },
        "copy_accuracy_unseen_books": {
            str(GATE_DISTANCE): copies(model, unseen, tokenizer, GATE_DISTANCE, options.prompts)
        },
        "recall": {
            f"{kind.__name__}, {records} records": mean(
                [recall(model, tokenizer, number, records, rng) for rng in [random.Random(13)] for _ in range(2 * options.prompts)]
            )
            for number, (kind, _, _) in enumerate(RECORDS)
            for records in (8, 32)
        },
    }
    copied = results["copy_accuracy"].get(str(GATE_DISTANCE))
    results["passes"] = bool(
        copied and copied["full"] >= GATE_ACCURACY and copied["window, keep 0.25"] < copied["full"] - 0.1
    )
    (options.model / "measured.json").write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
