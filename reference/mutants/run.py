"""One pass of transformers over the pack's toy, of which a mutant changes something."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from unittest import mock

import torch
from roundings import rounding_to
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
Change = Callable[[torch.Tensor], torch.Tensor]


def in_float32(change: Change) -> Change:
    """`change` as transformers has its norms and its softmax: numbers of 16 bits are widened."""
    return lambda x: change(x.float() if x.dtype.itemsize < 4 else x).to(x.dtype)


def rounded_to(dtype: torch.dtype) -> Change:
    """Round to `dtype` once, and keep the numbers in the type that they have."""
    rounded = rounding_to(dtype)
    return lambda x: rounded(x.double()).to(x.dtype)


@contextmanager
def mutated(network: LlamaForCausalLM, tokens: torch.Tensor, mutant: Mutant) -> Iterator[Run]:
    """While this lasts, transformers has the bug."""
    with ExitStack() as stack:
        run = Run(deepcopy(network), tokens, torch.arange(len(tokens)), stack)
        mutant(run)
        yield run


@torch.no_grad()
def logits(network: LlamaForCausalLM, tokens: torch.Tensor, mutant: Mutant) -> torch.Tensor:
    """[T, V] in float64; NaN where no row answers."""
    with in_float64(), mutated(network, tokens, mutant) as run:
        computed = run.network(run.tokens[None], use_cache=False).logits[0]
    return torch.where(run.rows[:, None] < 0, torch.nan, computed[run.rows])
