"""Checkpoints in the layout of Hugging Face: config.json and model.safetensors."""

import json
import struct
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import torch

from model import Llama, Shape

TYPES = {"F16": np.float16, "F32": np.float32}


def read_model(folder: Path, **changed: float) -> Llama:
    """The model of a folder; `changed` replaces fields of its config, such as rope_theta."""
    config = {**json.loads((folder / "config.json").read_text()), **changed}
    model = Llama(Shape(**{field.name: config[field.name] for field in fields(Shape)}))
    raw = (folder / "model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    tensors = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            values = np.frombuffer(raw[8 + size + start : 8 + size + end], TYPES[entry["dtype"]])
            tensors[name] = torch.from_numpy(values.astype(np.float32).reshape(entry["shape"]))
    model.load_state_dict(tensors)
    return model


@torch.no_grad()
def with_wider_heads(model: Llama, head_dim: int) -> Llama:
    """The same function with heads `head_dim` wide, a whole multiple of what they were.

    RoPE's frequencies of a narrow head are every `times`-th of a wide one's, so that is where its rows go. New rows of queries and
    keys are small and random, to learn from; new columns of the output are zero, so what new values hold is not yet heard.
    """
    narrow = model.shape.head_dim
    times = head_dim // narrow
    wide = Llama(replace(model.shape, head_dim=head_dim))
    state = wide.state_dict()
    for name, weight in model.state_dict().items():
        hidden = model.shape.hidden_size
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            # Halves of a head are rotated against each other; within a half, one row for each frequency.
            rows = state[name].view(-1, 2, head_dim // 2, hidden)
            rows[:, :, ::times] = weight.view(-1, 2, narrow // 2, hidden)
            if name.endswith("q_proj.weight"):
                rows[:, :, ::times] *= times**0.5  # scores are divided by the root of head_dim
        elif name.endswith("v_proj.weight"):
            state[name].view(-1, head_dim, hidden)[:, :narrow] = weight.view(-1, narrow, hidden)
        elif name.endswith("o_proj.weight"):
            columns = state[name].view(hidden, -1, head_dim)
            columns.zero_()
            columns[:, :, :narrow] = weight.view(hidden, -1, narrow)
        else:
            state[name].copy_(weight)
    return wide


def write_model(model: Llama, folder: Path, context: int, end_of_text: int) -> None:
    """Weights as float16 and the config that goes with them; `context` is what the model may claim."""
    folder.mkdir(parents=True, exist_ok=True)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    parts, offset = [], 0
    for name, tensor in model.state_dict().items():
        part = tensor.numpy().astype(np.float16).tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(part)]}
        parts.append(part)
        offset += len(part)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + b"".join(parts))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **asdict(model.shape),
        "max_position_embeddings": context,
        "rope_scaling": None,
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "hidden_act": "silu",
        "bos_token_id": end_of_text,
        "eos_token_id": end_of_text,
        "torch_dtype": "float16",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
