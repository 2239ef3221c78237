"""What the model is judged by: loss on held-out text and copying of held-out passages from a distance."""

import random

import numpy as np
import torch
import torch.nn.functional as F

from corpus import Part
from model import Llama

COPIED = 256  # tokens of a passage that are repeated
CUE = 16  # of which the first show that a repeat has begun, and are not counted


def copy_prompt(texts: dict[str, Part], end_of_text: int, distance: int, rng: random.Random) -> list[int]:
    """A held-out passage of `distance` tokens, then its beginning again: every source lies `distance` tokens back."""
    names = [name for name in texts if len(texts[name].ids) > distance]
    ids = texts["python" if "python" in texts and rng.random() < 0.5 else rng.choice(names)].ids
    start = rng.randrange(len(ids) - distance)
    passage = ids[start : start + distance].tolist()
    return [end_of_text, *passage, *passage[:COPIED]]


@torch.no_grad()
def copy_accuracy(model: Llama, texts: dict[str, Part], end_of_text: int, distance: int, count: int, seed: int = 11) -> float:
    """Teacher-forced: the share of repeated tokens that the model ranks first."""
    rng = random.Random(seed)
    hits = []
    for _ in range(count):
        ids = torch.tensor(copy_prompt(texts, end_of_text, distance, rng))[None]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            guesses = model(ids[:, :-1])[0, distance + CUE :].argmax(-1)
        hits.append((guesses == ids[0, distance + 1 + CUE :]).float().mean().item())
    return float(np.mean(hits))


@torch.no_grad()
def nats_per_byte(model: Llama, text: Part, length: int, count: int, seed: int = 7) -> float:
    rng = random.Random(seed)
    losses = []
    for _ in range(count):
        start = rng.randrange(len(text.ids) - length - 1)
        ids = torch.from_numpy(text.ids[start : start + length + 1].astype(np.int64))[None]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(ids[:, :-1])
        losses.append(F.cross_entropy(logits[0], ids[0, 1:]).item())
    return float(np.mean(losses)) / text.bytes_per_token
