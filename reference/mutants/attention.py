"""Scores, mask, softmax, heads."""

from collections.abc import Callable

import torch
from mutants.run import CHUNKS, Mutant, Run, in_float32, rounded_to
from transformers.models.llama import modeling_llama
from transformers.models.llama.modeling_llama import eager_attention_forward, repeat_kv

HEAD, HIDDEN = 22, 66
Indices = torch.Tensor


def attention(attend: Callable[..., tuple]) -> Mutant:
    """Another eager_attention_forward."""
    return lambda run: run.replace(modeling_llama, "eager_attention_forward", attend)


def visible(sees: Callable[[Indices, Indices, int], torch.Tensor]) -> Mutant:
    """Row i of T sees key j where `sees(i, j, T)`."""

    def attend(module, query, key, value, attention_mask, **options):
        count = query.shape[2]
        seen = sees(torch.arange(count)[:, None], torch.arange(count), count)
        mask = torch.zeros(count, count, dtype=query.dtype).masked_fill(~seen, -torch.inf)
        return eager_attention_forward(module, query, key, value, mask, **options)

    return attention(attend)


def scale(scaling: float) -> Mutant:
    def attend(*inputs, **options):
        return eager_attention_forward(*inputs, **{**options, "scaling": scaling})

    return attention(attend)


def context(change: Callable[[torch.Tensor], torch.Tensor]) -> Mutant:
    """Other weighted values [1, T, H, d]."""

    def attend(*inputs, **options):
        out, probabilities = eager_attention_forward(*inputs, **options)
        return change(out), probabilities

    return attention(attend)


def axes_swapped(out: torch.Tensor) -> torch.Tensor:
    """[1, H, T, d] taken for [1, T, H, d]."""
    return out.transpose(1, 2).reshape(out.shape)


def tiled(keys: bool, values: bool) -> Mutant:
    def mutant(run: Run) -> None:
        for layer in run.network.model.layers:
            groups, layer.self_attn.num_key_value_groups = layer.self_attn.num_key_value_groups, 1

        def repeat(x, is_tiled):
            return x.repeat(1, groups, 1, 1) if is_tiled else repeat_kv(x, groups)

        def attend(module, query, key, value, *others, **options):
            key, value = repeat(key, keys), repeat(value, values)
            return eager_attention_forward(module, query, key, value, *others, **options)

        attention(attend)(run)

    return mutant


def half_head(module, query, key, *others, **options):
    first = torch.arange(HEAD) < HEAD // 2
    return eager_attention_forward(module, query * first, key, *others, **options)


def softmax(function: Callable[[torch.Tensor], torch.Tensor]) -> Mutant:
    """Another softmax over the last axis."""
    return lambda run: run.replace(
        torch.nn.functional, "softmax", lambda x, dim, dtype: in_float32(function)(x)
    )


def rounded(dtype: torch.dtype) -> Mutant:
    to = rounded_to(dtype)
    return softmax(lambda x: to(x.softmax(-1)))


def with_extra_zero(x: torch.Tensor) -> torch.Tensor:
    zero = torch.zeros_like(x[..., :1])
    return torch.cat((x, zero), -1).softmax(-1)[..., :-1]


def not_normalised(x: torch.Tensor) -> torch.Tensor:
    return (x - x.amax(-1, keepdim=True)).exp()


MUTANTS = {
    "attention.future-visible": visible(lambda i, j, count: (i >= 0) & (j >= 0)),
    "attention.self-hidden": visible(lambda i, j, count: (j < i) | (i + j == 0)),
    "attention.one-ahead": visible(lambda i, j, count: j <= i + 1),
    "attention.top-left-mask": {
        f"n = {n}": visible(lambda i, j, count, n=n: j <= i % n) for n in CHUNKS
    },
    "attention.scale-missing": scale(1),
    "attention.scale": {
        "1/√D": scale(HIDDEN**-0.5),
        "1/d": scale(1 / HEAD),
        "√d": scale(HEAD**0.5),
        "1/√(d/2)": scale((HEAD / 2) ** -0.5),
    },
    "attention.gqa-tiled": {
        "keys and values": tiled(keys=True, values=True),
        "values only": tiled(keys=False, values=True),
        "keys only": tiled(keys=True, values=False),
    },
    "attention.heads-reversed": context(lambda out: out.flip(2)),
    "attention.axes-swapped": context(axes_swapped),
    "attention.probabilities-16bit": {
        "bf16": rounded(torch.bfloat16),
        "f16": rounded(torch.float16),
    },
    "attention.half-head": attention(half_head),
    "attention.window": {
        f"n = {n}": visible(lambda i, j, count, n=n: (j <= i) & (j > i - n)) for n in (64, 256)
    },
    "attention.extra-one": softmax(with_extra_zero),
    "attention.no-softmax-normalisation": softmax(not_normalised),
}
