"""The model once more, in NumPy alone and with a KV cache that can be cut: what engines are checked against and compression is judged by.

Shares no code with model.py but the reading of files, so that one can catch the other's mistakes.
"""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROWS = 512  # positions computed at a time: bounds the size of the scores


@dataclass
class Cache:
    """Per layer, keys after RoPE and values (kv heads, entries, head_dim); `length` positions have been seen, dropped ones included."""

    keys: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)
    length: int = 0

    def keep(self, entries: list[np.ndarray]) -> "Cache":
        """A cache of chosen entries: per layer an array (kv heads, kept)."""
        index = [chosen[..., None] for chosen in entries]
        return Cache(
            [np.take_along_axis(k, i, 1) for k, i in zip(self.keys, index)],
            [np.take_along_axis(v, i, 1) for v, i in zip(self.values, index)],
            self.length,
        )

    def copy(self) -> "Cache":
        """A cache to go on from that leaves this one as it is."""
        return Cache(list(self.keys), list(self.values), self.length)


class Reference:
    def __init__(self, folder: Path, precision: type = np.float32):
        self.config = json.loads((folder / "config.json").read_text())
        self.precision = precision
        raw = (folder / "model.safetensors").read_bytes()
        (size,) = struct.unpack("<Q", raw[:8])
        self.weights = {}
        for name, entry in json.loads(raw[8 : 8 + size]).items():
            if name != "__metadata__":
                start, end = (8 + size + offset for offset in entry["data_offsets"])
                self.weights[name] = np.frombuffer(raw[start:end], np.float16).reshape(entry["shape"]).astype(precision)

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        scale = np.sqrt(np.mean(x * x, -1, keepdims=True) + self.config["rms_norm_eps"])
        return (x / scale).astype(self.precision) * self.weights[name]

    def _heads(self, x: np.ndarray, name: str) -> np.ndarray:
        projected = x @ self.weights[name].T
        return projected.reshape(len(x), -1, self.config["head_dim"]).transpose(1, 0, 2)

    def _rotated(self, x: np.ndarray, start: int) -> np.ndarray:
        half = self.config["head_dim"] // 2
        frequencies = self.config["rope_theta"] ** -(np.arange(half) / half)
        angles = np.arange(start, start + x.shape[1])[:, None] * frequencies
        cos, sin = np.cos(angles).astype(self.precision), np.sin(angles).astype(self.precision)
        a, b = x[..., :half], x[..., half:]
        return np.concatenate((a * cos - b * sin, b * cos + a * sin), -1)

    def forward(self, ids: list[int], cache: Cache, watched: list[np.ndarray] | None = None) -> np.ndarray:
        """Logits (T, vocabulary) of ids that follow what `cache` holds; extends it. `watched` collects each layer's attention
        weights (kv heads, group, rows, entries) when all ids fit in one block of rows."""
        blocks = [self._block(ids[i : i + ROWS], cache, watched) for i in range(0, len(ids), ROWS)]
        return np.concatenate(blocks)

    def _block(self, ids: list[int], cache: Cache, watched: list[np.ndarray] | None) -> np.ndarray:
        config, rows = self.config, len(ids)
        kv, size = config["num_key_value_heads"], config["head_dim"]
        x = self.weights["model.embed_tokens.weight"][ids]
        for layer in range(config["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            h = self._norm(x, prefix + "input_layernorm.weight")
            q = self._rotated(self._heads(h, prefix + "self_attn.q_proj.weight"), cache.length)
            k = self._rotated(self._heads(h, prefix + "self_attn.k_proj.weight"), cache.length)
            v = self._heads(h, prefix + "self_attn.v_proj.weight")
            if len(cache.keys) <= layer:
                cache.keys.append(k)
                cache.values.append(v)
            else:
                cache.keys[layer] = np.concatenate((cache.keys[layer], k), 1)
                cache.values[layer] = np.concatenate((cache.values[layer], v), 1)
            entries = cache.keys[layer].shape[1]
            q = q.reshape(kv, -1, rows, size)
            scores = q @ cache.keys[layer].transpose(0, 2, 1)[:, None] / size**0.5
            scores[..., entries - rows :][..., np.triu(np.ones((rows, rows), bool), 1)] = -np.inf
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            if watched is not None:
                watched.append(weights)
            attended = (weights @ cache.values[layer][:, None]).reshape(-1, rows, size).transpose(1, 0, 2).reshape(rows, -1)
            x = x + attended @ self.weights[prefix + "self_attn.o_proj.weight"].T
            h = self._norm(x, prefix + "post_attention_layernorm.weight")
            gate = h @ self.weights[prefix + "mlp.gate_proj.weight"].T
            up = h @ self.weights[prefix + "mlp.up_proj.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * up) @ self.weights[prefix + "mlp.down_proj.weight"].T
        cache.length += rows
        return self._norm(x, "model.norm.weight") @ self.weights["model.embed_tokens.weight"].T
