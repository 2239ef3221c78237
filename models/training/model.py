"""A Llama decoder in plain PyTorch (1.13 or later), in the shapes and names of Hugging Face's LlamaForCausalLM.

Matrix products run in bfloat16 under autocast; weights, norms, softmax and the residual stream stay in float32.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Shape:
    vocab_size: int = 1024
    hidden_size: int = 128
    intermediate_size: int = 384
    num_hidden_layers: int = 6
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 32
    rope_theta: float = 500_000.0
    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 4096


def rotations(shape: Shape, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of RoPE for positions (B, T), each (B, 1, T, head_dim / 2)."""
    exponents = torch.arange(0, shape.head_dim, 2, dtype=torch.float64) / shape.head_dim
    angles = positions[:, None, :, None].double() * shape.rope_theta**-exponents
    return angles.cos().float(), angles.sin().float()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """RoPE on x (B, heads, T, head_dim): the first half of a head is rotated against the second."""
    a, b = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Norm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


class Attention(nn.Module):
    # Queries are taken in blocks so that a block meets only the keys up to its own end: half of the square is never made.
    BLOCK = 256

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        queries = shape.num_attention_heads * shape.head_dim
        keys = shape.num_key_value_heads * shape.head_dim
        self.q_proj = nn.Linear(shape.hidden_size, queries, bias=False)
        self.k_proj = nn.Linear(shape.hidden_size, keys, bias=False)
        self.v_proj = nn.Linear(shape.hidden_size, keys, bias=False)
        self.o_proj = nn.Linear(queries, shape.hidden_size, bias=False)

    def forward(self, x: torch.Tensor, rope: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        shape, (batch, length, _) = self.shape, x.shape
        kv, size = shape.num_key_value_heads, shape.head_dim
        group = shape.num_attention_heads // kv

        def heads(projected: torch.Tensor, count: int) -> torch.Tensor:
            return projected.view(batch, length, count, size).transpose(1, 2)

        q = rotate(heads(self.q_proj(x), shape.num_attention_heads), *rope) * size**-0.5
        k = rotate(heads(self.k_proj(x), kv), *rope).reshape(batch * kv, length, size)
        v = heads(self.v_proj(x), kv).reshape(batch * kv, length, size)
        q = q.reshape(batch * kv, group, length, size)

        outputs = []
        for start in range(0, length, self.BLOCK):
            end = min(start + self.BLOCK, length)
            rows = end - start
            block = q[:, :, start:end].reshape(batch * kv, group * rows, size)
            scores = torch.bmm(block, k[:, :end].transpose(1, 2)).float().view(batch * kv, group, rows, end)
            future = torch.full((rows, rows), -math.inf).triu(1)
            scores[..., start:].add_(future)
            weights = torch.softmax(scores, -1).to(v.dtype).view(batch * kv, group * rows, end)
            outputs.append(torch.bmm(weights, v[:, :end]).view(batch, kv * group, rows, size))
        merged = torch.cat(outputs, 2).transpose(1, 2).reshape(batch, length, -1)
        return self.o_proj(merged)


class Mlp(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = Mlp(shape)
        self.input_layernorm = Norm(shape.hidden_size, shape.rms_norm_eps)
        self.post_attention_layernorm = Norm(shape.hidden_size, shape.rms_norm_eps)

    def forward(self, x: torch.Tensor, rope: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rope).float()
        return x + self.mlp(self.post_attention_layernorm(x)).float()


class Decoder(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))
        self.norm = Norm(shape.hidden_size, shape.rms_norm_eps)


class Llama(nn.Module):
    """`state_dict()` has the names of Hugging Face's checkpoint, with the head tied to the embedding."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.model = Decoder(shape)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                into_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * shape.num_hidden_layers) if into_residual else 0.02)

    def forward(self, ids: torch.Tensor, positions: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (B, T, vocabulary) of ids (B, T) at positions (B, T), counted from 0 where not given."""
        if positions is None:
            positions = torch.arange(ids.shape[1])[None]
        rope = rotations(self.shape, positions)
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, rope)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight).float()
