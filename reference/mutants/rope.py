"""Rotary position embedding."""

from collections.abc import Callable

import torch
from mutants.run import CHUNKS, Mutant, Run
from transformers.models.llama import modeling_llama
from transformers.models.llama.modeling_llama import (
    LlamaRotaryEmbedding,
    apply_rotary_pos_emb,
)

THETA, FACTOR, HEAD, HIDDEN = 10000.0, 8, 22, 66
PARTIAL = 10  # the largest even number in half a head
Pair = tuple[torch.Tensor, torch.Tensor]


def power(theta: float, numerators: range, denominator: int) -> torch.Tensor:
    """θ^(−numerator / denominator) / factor, every step rounded to float32 once."""
    exponents = torch.tensor(numerators).float() / denominator
    return 1 / (theta ** exponents.double()).float() / FACTOR


def frequencies(change: Callable[[torch.Tensor], torch.Tensor]) -> Mutant:
    """Other ω, which the factor has divided already."""

    def mutant(run: Run) -> None:
        rotary = run.network.model.rotary_emb
        assert torch.equal(rotary.inv_freq, power(THETA, range(0, HEAD, 2), HEAD))
        rotary.inv_freq = change(rotary.inv_freq)

    return mutant


def theta(other: float) -> Mutant:
    return frequencies(lambda _: power(other, range(0, HEAD, 2), HEAD))


def positions(change: Callable[[torch.Tensor], torch.Tensor]) -> Mutant:
    """Another p for both queries and keys."""

    def mutant(run: Run) -> None:
        forward = LlamaRotaryEmbedding.forward
        run.replace(
            LlamaRotaryEmbedding,
            "forward",
            lambda self, x, position_ids: forward(self, x, change(position_ids)),
        )

    return mutant


def table(change: Callable[[torch.Tensor, torch.Tensor], Pair]) -> Mutant:
    """Other cosines and sines."""

    def mutant(run: Run) -> None:
        forward = LlamaRotaryEmbedding.forward
        run.replace(
            LlamaRotaryEmbedding,
            "forward",
            lambda self, x, position_ids: change(*forward(self, x, position_ids)),
        )

    return mutant


def rounded_angles(dtype: torch.dtype) -> Mutant:
    def forward(self, x, position_ids):
        angles = (position_ids[..., None].float() * self.inv_freq).to(dtype).double()
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)

    return lambda run: run.replace(LlamaRotaryEmbedding, "forward", forward)


def rotation(rotate: Callable[..., Pair]) -> Mutant:
    """Another apply_rotary_pos_emb."""
    return lambda run: run.replace(modeling_llama, "apply_rotary_pos_emb", rotate)


def query_only(q, k, cos, sin):
    return apply_rotary_pos_emb(q, k, cos, sin)[0], k


def key_only(q, k, cos, sin):
    return q, apply_rotary_pos_emb(q, k, cos, sin)[1]


def twice(q, k, cos, sin):
    return apply_rotary_pos_emb(*apply_rotary_pos_emb(q, k, cos, sin), cos, sin)


def interleaved(q, k, cos, sin):
    """cos and sin have every angle in both halves."""
    cos, sin = cos[:, None, :, : HEAD // 2], sin[:, None, :, : HEAD // 2]

    def rotate(x):
        even, odd = x[..., 0::2], x[..., 1::2]
        return torch.stack((even * cos - odd * sin, odd * cos + even * sin), -1).flatten(-2)

    return rotate(q), rotate(k)


def partial(run: Run) -> None:
    """As partial_rotary_factor does it elsewhere: a smaller head, and the rest as it is."""
    run.network.model.rotary_emb.inv_freq = power(THETA, range(0, PARTIAL, 2), PARTIAL)

    def rotate(q, k, cos, sin):
        turned = apply_rotary_pos_emb(q[..., :PARTIAL], k[..., :PARTIAL], cos, sin)
        return tuple(torch.cat((x, whole[..., PARTIAL:]), -1) for x, whole in zip(turned, (q, k)))

    rotation(rotate)(run)


def values_rotated(run: Run) -> None:
    attend = modeling_llama.eager_attention_forward
    tables = []

    def rotate(q, k, cos, sin):
        tables[:] = [cos, sin]
        return apply_rotary_pos_emb(q, k, cos, sin)

    def attention(module, query, key, value, *others, **options):
        _, value = apply_rotary_pos_emb(query, value, *tables)
        return attend(module, query, key, value, *others, **options)

    rotation(rotate)(run)
    run.replace(modeling_llama, "eager_attention_forward", attention)


def query_ahead(run: Run) -> None:
    rotary = run.network.model.rotary_emb

    def rotate(q, k, cos, sin):
        ahead = rotary(q, torch.arange(1, q.shape[2] + 1)[None])
        return apply_rotary_pos_emb(q, k, *ahead)[0], apply_rotary_pos_emb(q, k, cos, sin)[1]

    rotation(rotate)(run)


MUTANTS = {
    "rope.factor-ignored": frequencies(lambda ω: ω * FACTOR),
    "rope.factor-inverted": frequencies(lambda ω: ω * FACTOR**2),
    "rope.factor-twice": frequencies(lambda ω: ω / FACTOR),
    "rope.amplitude": table(lambda cos, sin: (cos / FACTOR, sin / FACTOR)),
    "rope.interleaved": rotation(interleaved),
    "rope.direction": table(lambda cos, sin: (cos, -sin)),
    "rope.theta": {f"θ = {other:,}": theta(other) for other in (1000000, 500000, 100000)},
    "rope.exponent": frequencies(lambda _: power(THETA, range(HEAD // 2), HEAD)),
    "rope.hidden-size": frequencies(lambda _: power(THETA, range(0, HEAD, 2), HIDDEN)),
    "rope.missing": rotation(lambda q, k, cos, sin: (q, k)),
    "rope.query-only": rotation(query_only),
    "rope.key-only": rotation(key_only),
    "rope.values-rotated": values_rotated,
    "rope.twice": rotation(twice),
    "rope.partial": partial,
    "rope.frequencies-bf16": frequencies(lambda ω: ω.bfloat16().float()),
    "rope.angles-16bit": {
        "bf16": rounded_angles(torch.bfloat16),
        "f16": rounded_angles(torch.float16),
    },
    "rope.table-end": {"n = 512": positions(lambda p: p.clamp(max=511))},
    "positions.restart-per-chunk": {f"n = {n}": positions(lambda p, n=n: p % n) for n in CHUNKS},
    "positions.query-ahead": query_ahead,
}
