"""Muon for the matrices of the layers, AdamW for the rest.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): the momentum of a matrix, with
all its singular values brought near to 1.
"""

import torch
from transformers import LlamaForCausalLM


class Muon(torch.optim.Optimizer):
    """torch.optim.Muon in float32: that one rounds to bfloat16, which this kind of processor has no
    instructions for."""

    def __init__(
        self,
        parameters: list[torch.nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
                direction = orthogonal(parameter.grad + group["momentum"] * momentum)
                # Scaled to the size of an update of AdamW (Liu et al. 2025, arXiv:2502.16982,
                # equation 4).
                rate = 0.2 * max(parameter.shape) ** 0.5 * group["lr"]
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-rate)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """All singular values near to 1, by five Newton-Schulz steps with Jordan's coefficients."""
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = wide / (wide.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class Optimizer:
    """Both, each for its parameters. Every step is told its learning rate."""

    def __init__(self, network: LlamaForCausalLM) -> None:
        matrices = [p for p in network.model.layers.parameters() if p.dim() == 2]
        norms = [p for p in network.parameters() if p.dim() == 1]
        others = [network.model.embed_tokens.weight, network.lm_head.weight, *norms]
        self.parts = [
            Muon(matrices, lr=0.0),
            torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def step(self, lr: float) -> None:
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = lr
            part.step()

    def state(self) -> list[dict]:
        return [part.state_dict() for part in self.parts]

    def load(self, states: list[dict]) -> None:
        for part, state in zip(self.parts, states):
            part.load_state_dict(state)
