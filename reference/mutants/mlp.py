"""The feed-forward network."""

from collections.abc import Callable

import torch
from mutants.run import Mutant
from torch.nn.functional import gelu, relu, silu
from transformers.models.llama.modeling_llama import LlamaMLP


def gated(gate: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Mutant:
    """down_proj of another function of what gate_proj and up_proj give."""

    def forward(self, x):
        return self.down_proj(gate(self.gate_proj(x), self.up_proj(x)))

    return lambda run: run.replace(LlamaMLP, "forward", forward)


MUTANTS = {
    "mlp.gate-up-swapped": gated(lambda gate, up: silu(up) * gate),
    "mlp.activation": {
        "gelu": gated(lambda gate, up: gelu(gate) * up),
        "gelu-tanh": gated(lambda gate, up: gelu(gate, approximate="tanh") * up),
        "relu": gated(lambda gate, up: relu(gate) * up),
    },
    "mlp.silu-of-product": gated(lambda gate, up: silu(gate * up)),
    "mlp.up-ignored": gated(lambda gate, up: silu(gate)),
    "mlp.silu-without-x": gated(lambda gate, up: gate.sigmoid() * up),
}
