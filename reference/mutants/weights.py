"""Matrices that were read wrongly."""

from collections.abc import Callable

import torch
from mutants.run import Mutant, Run

HEAD = 22
ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
MATRICES = (*ATTENTION, "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
Change = Callable[[torch.Tensor], torch.Tensor]


def matrices(change: Change, *names: str) -> Mutant:
    """Other numbers in every matrix whose name ends so."""

    def mutant(run: Run) -> None:
        for name, module in run.network.named_modules():
            if name.endswith(names):
                module.weight.data = change(module.weight.data)

    return mutant


def gguf_order(weight: torch.Tensor) -> torch.Tensor:
    """Of every head, rows i and i + d/2 become 2i and 2i + 1."""
    return weight.unflatten(0, (-1, 2, HEAD // 2)).transpose(1, 2).flatten(0, 2)


def tail_missing(weight: torch.Tensor) -> torch.Tensor:
    rows = len(weight)
    return weight * (torch.arange(rows) < rows - rows // 10)[:, None]


def nibble_order(weight: torch.Tensor) -> torch.Tensor:
    """Low nibbles are a block's first half; here they are taken for its even numbers."""
    whole = weight.shape[1] // 32 * 32
    blocks = weight[:, :whole].unflatten(1, (-1, 2, 16))
    return torch.cat((blocks.transpose(2, 3).flatten(1), weight[:, whole:]), 1)


def kv_swapped(run: Run) -> None:
    for layer in run.network.model.layers:
        attention = layer.self_attn
        attention.k_proj, attention.v_proj = attention.v_proj, attention.k_proj


MUTANTS = {
    "weights.damaged": {
        f"model.layers.{layer}.{name}": matrices(torch.zeros_like, f"{layer}.{name}")
        for layer in range(2)
        for name in MATRICES
    },
    "weights.qk-permuted": matrices(gguf_order, "q_proj", "k_proj"),
    "weights.k-permuted": matrices(gguf_order, "k_proj"),
    "weights.kv-swapped": kv_swapped,
    "weights.tail-missing": {
        name: matrices(tail_missing, name)
        for name in (*(path.split(".")[1] for path in MATRICES), "lm_head")
    },
    "weights.nibble-order": matrices(nibble_order, *MATRICES),
}
MISSING = {
    "weights.transposed": "the toy has no square matrix",
    "weights.qk-swapped": "q_proj and k_proj of the toy have different shapes",
}
