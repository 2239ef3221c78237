"""Muon (Jordan et al. 2024): momentum whose update is made orthogonal by a few Newton-Schulz steps, for matrices inside the network."""

from collections import defaultdict

import torch


def orthogonal(stack: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """The nearest orthogonal matrices, roughly, of a stack (n, rows, columns)."""
    tall = stack.shape[1] > stack.shape[2]
    x = stack.transpose(1, 2) if tall else stack
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(steps):
        gram = torch.bmm(x, x.transpose(1, 2))
        x = 3.4445 * x + torch.bmm(-4.7750 * gram + 2.0315 * torch.bmm(gram, gram), x)
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            by_shape = defaultdict(list)
            for param in group["params"]:
                by_shape[param.shape].append(param)
            for (rows, columns), params in by_shape.items():
                updates = []
                for param in params:
                    state = self.state[param]
                    average = state.setdefault("average", torch.zeros_like(param))
                    average.lerp_(param.grad, 1 - group["momentum"])
                    updates.append(param.grad.lerp(average, group["momentum"]))
                scale = group["lr"] * max(1.0, rows / columns) ** 0.5
                for param, update in zip(params, orthogonal(torch.stack(updates))):
                    param.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-scale)
