"""Two ways to drop tokens from a cache, as small as they can be, to show what the model makes of a context."""

import numpy as np

from reference import Cache

SINKS = 4
OBSERVED = 16  # newest positions whose attention tells SnapKV what to keep
NEIGHBOURS = 5  # its scores are pooled over so many entries


def window(cache: Cache, keep: float) -> Cache:
    """The first few tokens and the newest (StreamingLLM, arXiv:2309.17453)."""
    kept = round(cache.length * keep)
    entries = np.concatenate((np.arange(SINKS), np.arange(cache.length - kept + SINKS, cache.length)))
    return cache.keep([np.broadcast_to(entries, (len(keys), kept)) for keys in cache.keys])


def snapkv(cache: Cache, keep: float, watched: list[np.ndarray]) -> Cache:
    """The newest tokens and those they attended to most, for each layer and head (SnapKV, arXiv:2404.14469)."""
    kept, older = round(cache.length * keep), cache.length - OBSERVED
    chosen = []
    for weights in watched:
        scores = weights[..., :older].sum((1, 2))
        padded = np.pad(scores, ((0, 0), (NEIGHBOURS // 2, NEIGHBOURS // 2)))
        pooled = np.lib.stride_tricks.sliding_window_view(padded, NEIGHBOURS, 1).max(-1)
        best = np.sort(np.argsort(-pooled, 1, kind="stable")[:, : kept - OBSERVED], 1)
        newest = np.broadcast_to(np.arange(older, cache.length), (len(best), OBSERVED))
        chosen.append(np.concatenate((best, newest), 1))
    return cache.keep(chosen)
