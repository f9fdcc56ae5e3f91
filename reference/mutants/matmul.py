"""Matrix products: all seven matrices of a layer and the head."""

from collections.abc import Callable

import torch
from mutants.formats import q8_0
from mutants.run import Mutant, in_float32
from torch.nn import Linear


def linear(multiply: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Mutant:
    """Another product of x [R, M] and a weight [N, M]."""
    return lambda run: run.replace(
        Linear, "forward", lambda self, x: multiply(x[0], self.weight)[None]
    )


def tail_column(width: int) -> Mutant:
    """The last outputs, fewer than a vector has, take x[r + k] for x[r · M + k]."""

    def multiply(x, weight):
        (rows, inner), outputs = x.shape, len(weight)
        whole = outputs - outputs % width
        wrong = x.flatten().unfold(0, inner, 1)[:rows]
        return torch.cat((x @ weight[:whole].T, wrong @ weight[whole:].T), 1)

    return linear(multiply)


def tail_ignored(block: int) -> Mutant:
    def multiply(x, weight):
        whole = x.shape[1] // block * block
        return x[:, :whole] @ weight[:, :whole].T

    return linear(multiply)


def ten_bits(x: torch.Tensor) -> torch.Tensor:
    """TF32: ten bits after the leading one, ties to even."""
    mantissa, exponent = torch.frexp(x)
    return torch.ldexp((mantissa * 2**11).round() / 2**11, exponent)


MUTANTS = {
    "matmul.tail-column": {f"W = {width}": tail_column(width) for width in (4, 8, 16)},
    "matmul.tail-ignored": {f"n = {block}": tail_ignored(block) for block in (32, 8, 4)},
    "matmul.inputs-10bit": linear(
        lambda x, weight: in_float32(ten_bits)(x) @ in_float32(ten_bits)(weight).T
    ),
    "matmul.inputs-8bit": linear(lambda x, weight: in_float32(q8_0)(x) @ weight.T),
}
