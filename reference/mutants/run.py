"""One pass of transformers over the pack's toy, of which a mutant changes something."""

from collections.abc import Callable
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from unittest import mock

import torch
from tracing import in_float64
from transformers import LlamaForCausalLM

CHUNKS = (64, 128, 256, 512)


@dataclass
class Run:
    """A mutant may patch transformers with `replace`, or change any of the fields."""

    network: LlamaForCausalLM
    tokens: torch.Tensor
    # Which row of the logits answers each place of the text; −1 if none does.
    rows: torch.Tensor
    stack: ExitStack

    def replace(self, owner: object, name: str, value: object) -> None:
        """Patch `owner.name` for this pass."""
        self.stack.enter_context(mock.patch.object(owner, name, value))


Mutant = Callable[[Run], None]


@torch.no_grad()
def logits(network: LlamaForCausalLM, tokens: torch.Tensor, mutant: Mutant) -> torch.Tensor:
    """[T, V] in float64; NaN where no row answers."""
    with in_float64(), ExitStack() as stack:
        run = Run(deepcopy(network), tokens, torch.arange(len(tokens)), stack)
        mutant(run)
        computed = run.network(run.tokens[None], use_cache=False).logits[0]
    return torch.where(run.rows[:, None] < 0, torch.nan, computed[run.rows])
