"""Trains the embedded model, stage by stage; a run that was cut off goes on from its last checkpoint.

    OMP_NUM_THREADS=2 python3 train.py --books BOOKS --out RUN [--start MODEL]
"""

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from corpus import load_corpus
from documents import Documents
from measure import copy_accuracy, nats_per_byte
from model import Llama, Shape
from muon import Muon
from tokenizer import Tokenizer
from weights import read_model, with_wider_heads, write_model

CONTEXT = 4096
ROPE_THETA = 500_000.0
TOKENIZER = Path(__file__).parent.parent / "vericache-1m" / "tokenizer.json"
MATRIX_RATE, OTHER_RATE = 0.02, 0.004  # peak learning rates of Muon and AdamW
WARM_UP_STEPS = 30
MEASURED_EVERY_SECONDS = 300


@dataclass(frozen=True)
class Stage:
    tokens: int
    length: int  # of a document
    batch: int  # documents in a step
    head_dim: int  # narrower heads are widened when the stage begins
    kinds: str  # of documents, in turn: t(ext), c(opy), r(ecords)
    copied: float  # weight of a copied token in the loss
    rate: tuple[float, float]  # learning rate at the start and at the end, as a share of the peak


STAGES = (
    # Distances of the whole context at the cost of short documents, by jumping positions.
    Stage(4_120_000, 512, 16, 32, "cccccccttttttrrr", 1.0, (0.7, 0.7)),
    Stage(8_000_000, 512, 16, 64, "cccccccttttttrrr", 1.0, (0.7, 0.7)),
    Stage(7_000_000, 1024, 8, 64, "ctctctrr", 1.0, (0.7, 0.6)),
    Stage(2_800_000, 1024, 8, 64, "ctctctcr", 2.0, (0.6, 0.2)),
    # Then the real thing: as many tokens between as there are positions.
    Stage(1_400_000, 4096, 2, 64, "ctcr", 2.0, (0.2, 0.01)),
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--books", type=Path, required=True, help="folder of plain texts")
    parser.add_argument("--code", type=Path, default=Path("/usr/lib/python3.11"), help="folder of Python sources")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--start", type=Path, help="model folder to start from; fresh weights if not given")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def make_optimizers(model: Llama) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Muon for the matrices inside the network, AdamW for the embedding and the norms."""
    named = list(model.named_parameters())
    matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in named if p.ndim == 1 or "embed" in n]
    return (
        Muon(matrices, lr=MATRIX_RATE, weight_decay=0.01),
        torch.optim.AdamW(others, lr=OTHER_RATE, betas=(0.9, 0.95), weight_decay=0.0),
    )


def main() -> None:
    options = arguments()
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "checkpoint.pt"
    tokenizer = Tokenizer(TOKENIZER)
    corpus = load_corpus(options.books, options.code, tokenizer, options.out / "ids")
    model = read_model(options.start, rope_theta=ROPE_THETA) if options.start else Llama(Shape(rope_theta=ROPE_THETA))

    optimizers = make_optimizers(model)
    first, seen, step, made = 0, 0, 0, 0  # made: the step at which the optimizers began
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        first, seen, step, made = (saved[key] for key in ("stage", "seen", "step", "made"))
        if saved["head_dim"] > model.shape.head_dim:
            model = with_wider_heads(model, saved["head_dim"])
            optimizers = make_optimizers(model)
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)

    def say(line: str) -> None:
        print(line, flush=True)
        with (options.out / "log.txt").open("a") as log:
            log.write(line + "\n")

    def save(stage: int, seen: int) -> None:
        state = {
            "model": model.state_dict(),
            "head_dim": model.shape.head_dim,
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "stage": stage,
            "seen": seen,
            "step": step,
            "made": made,
        }
        torch.save(state, checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)
        write_model(model, options.out / "model", CONTEXT, tokenizer.end_of_text)

    def measured() -> str:
        copied = [f"{d}:{copy_accuracy(model, corpus.held_out, tokenizer.end_of_text, d, 4):.3f}" for d in (512, 1024, 2048, 3072)]
        texts = ("python", "tinyshakespeare", "war-and-peace")
        losses = [f"{n} {nats_per_byte(model, p, 1024, 4):.3f}" for n, p in corpus.held_out.items() if n in texts]
        return f"copy {' '.join(copied)} | nats/byte {' '.join(losses)}"

    since_measured = time.monotonic()
    for number, stage in enumerate(STAGES):
        if number < first:
            continue
        if stage.head_dim > model.shape.head_dim:
            model = with_wider_heads(model, stage.head_dim)
            optimizers, made = make_optimizers(model), step
        # A run that goes on from a checkpoint draws documents that it has not seen.
        documents = Documents(corpus.train, tokenizer, CONTEXT, stage.copied, seed=options.seed + number * 1000 + seen)
        make = {"t": documents.text, "c": documents.copy, "r": documents.records}
        recent: dict[str, list[float]] = defaultdict(list)
        while seen < stage.tokens:
            kinds = [stage.kinds[(step * stage.batch + i) % len(stage.kinds)] for i in range(stage.batch)]
            batch = [make[kind](stage.length + 1) for kind in kinds]
            ids, weights, positions = (
                torch.from_numpy(np.stack([getattr(d, field) for d in batch])) for field in ("ids", "weights", "positions")
            )
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(ids[:, :-1], positions[:, :-1])
            targets, weights = ids[:, 1:], weights[:, 1:].float()
            losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
            (losses * weights).sum().div(weights.sum()).backward()
            torch.nn.utils.clip_grad_norm_(optimizers[1].param_groups[0]["params"], 1.0)
            start, end = stage.rate
            rate = min(1.0, (step - made + 1) / WARM_UP_STEPS) * (start + (end - start) * seen / stage.tokens)
            for optimizer, peak in zip(optimizers, (MATRIX_RATE, OTHER_RATE)):
                for group in optimizer.param_groups:
                    group["lr"] = peak * rate
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
            seen += targets.numel()
            step += 1
            for kind, row in zip(kinds, losses.detach().mean(1).tolist()):
                recent[kind].append(row)
            if time.monotonic() - since_measured > MEASURED_EVERY_SECONDS:
                save(number, seen)
                rows = " ".join(f"{kind} {np.mean(values):.3f}" for kind, values in recent.items())
                say(f"{time.strftime('%H:%M:%S')} stage {number} {seen / 1e6:.2f}M rate {rate:.3f} | train {rows} | {measured()}")
                recent.clear()
                since_measured = time.monotonic()
        seen = 0
        save(number + 1, seen)
        say(f"{time.strftime('%H:%M:%S')} stage {number} done | {measured()}")


if __name__ == "__main__":
    main()
