"""Writes `golden.json` into a model folder: what the NumPy reference, in float64, makes of a few prompts.

    python3 golden.py --model MODEL

Each case: `prompt_ids`, the greedy `continuation_ids`, `top5` (ids and logits of the five likeliest at the first steps), and
`smallest_margin`, the least difference between the best and the second logit on the way: an engine whose logits
are closer than half of it must write the same ids.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from reference import Cache, Reference
from tokenizer import Tokenizer

STEPS, STEPS_WITH_LOGITS = 32, 8
TEXTS = {
    "sentence": "It was a dark night, and the old man",
    "code": "def mean(values):\n    total = 0\n    for value in values:\n",
    "records": "# people\nMara: city=Oslo, pet=owl, job=baker, code=417\nOtto: city=Rome, pet=cat, job=pilot, code=052\n# questions\nMara.city?",
    "bytes beyond ASCII": "naïve café — “quotes” 你好 🙂",
}


def case(model: Reference, name: str, ids: list[int]) -> dict[str, object]:
    cache = Cache()
    logits = model.forward(ids, cache)[-1]
    continuation, margins, top = [], [], []
    for step in range(STEPS):
        best = np.argsort(-logits, kind="stable")[:5]
        margins.append(float(logits[best[0]] - logits[best[1]]))
        if step < STEPS_WITH_LOGITS:
            top.append({"ids": best.tolist(), "logits": [round(float(x), 6) for x in logits[best]]})
        continuation.append(int(best[0]))
        logits = model.forward([continuation[-1]], cache)[-1]
    return {
        "name": name,
        "prompt_ids": ids,
        "continuation_ids": continuation,
        "smallest_margin": round(min(margins), 6),
        "top5": top,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer(options.model / "tokenizer.json")
    model = Reference(options.model, np.float64)
    prompts = {name: [tokenizer.end_of_text, *tokenizer.encode(text)] for name, text in TEXTS.items()}
    prompts["end of text alone"] = [tokenizer.end_of_text]
    longest = max((options.model / "prompts").glob("copy-*.txt"), key=lambda path: path.stat().st_size)
    prompts[f"prompts/{longest.name}"] = [tokenizer.end_of_text, *tokenizer.encode(longest.read_text(encoding="utf-8"))]
    cases = [case(model, name, ids) for name, ids in prompts.items()]
    lines = ",\n  ".join(json.dumps(c) for c in cases)
    (options.model / "golden.json").write_text('{ "precision": "float64 on float16 weights", "cases": [\n  ' + lines + "\n] }\n")
    for c in cases:
        print(c["name"], len(c["prompt_ids"]), c["smallest_margin"], repr(tokenizer.decode(c["continuation_ids"])))


if __name__ == "__main__":
    main()
