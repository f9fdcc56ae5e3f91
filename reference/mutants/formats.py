"""Numbers as ggml's blocks of 32 hold them, in float64 but for the scale, which is a float16."""

from collections.abc import Callable

import torch
from mutants.run import rounded_to

BLOCK = 32
to_float16 = rounded_to(torch.float16)


def in_blocks(x: torch.Tensor, quantize: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """`quantize` of every 32 numbers of the last axis, the last block being shorter."""
    return torch.cat([quantize(block) for block in x.split(BLOCK, -1)], -1)


def per_scale(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """x / scale; 0 where the scale is, and every number with it."""
    return torch.where(scale == 0, 0, x / scale)


def q8_0(x: torch.Tensor) -> torch.Tensor:
    def quantize(block):
        scale = block.abs().amax(-1, keepdim=True) / 127
        quants = per_scale(block, scale)
        away_from_zero = quants.sign() * (quants.abs() + 0.5).floor()
        return away_from_zero * to_float16(scale)

    return in_blocks(x, quantize)


def q4_0(x: torch.Tensor) -> torch.Tensor:
    def quantize(block):
        largest = block.gather(-1, block.abs().argmax(-1, keepdim=True))
        scale = largest / -8
        quants = (per_scale(block, scale) + 8.5).trunc().clamp(max=15)
        return (quants - 8) * to_float16(scale)

    return in_blocks(x, quantize)
