"""Keys and values of earlier tokens, chunks, and which tokens are read at all."""

from collections.abc import Callable

import torch
from mutants.attention import attention, visible
from mutants.formats import q4_0, q8_0
from mutants.run import CHUNKS, Mutant, Run, in_float32
from transformers.models.llama.modeling_llama import eager_attention_forward


def stored(change: Callable[[torch.Tensor], torch.Tensor]) -> Mutant:
    """What the cache makes of the keys, which are rotated, and values."""

    def attend(module, query, key, value, *others, **options):
        return eager_attention_forward(
            module, query, change(key), change(value), *others, **options
        )

    return attention(attend)


def last_lost(size: int) -> Mutant:
    """Chunk after chunk; before each but the first, the last key and value are overwritten."""

    def attend(module, query, key, value, attention_mask, **options):
        key, value, chunks = key.clone(), value.clone(), []
        for start in range(0, query.shape[2], size):
            if start > 0:
                key[:, :, start - 1] = value[:, :, start - 1] = 0
            rows = slice(start, start + size)
            mask = attention_mask[:, :, rows]
            chunk = eager_attention_forward(module, query[:, :, rows], key, value, mask, **options)
            chunks.append(chunk[0])
        return torch.cat(chunks, 1), None

    return attention(attend)


def not_reset(run: Run) -> None:
    count = len(run.tokens)
    run.tokens = torch.cat((run.tokens, run.tokens))
    run.rows = run.rows + count


def bos_missing(run: Run) -> None:
    run.tokens = run.tokens[1:]
    run.rows = run.rows - 1


def bos_twice(run: Run) -> None:
    run.tokens = torch.cat((run.tokens[:1], run.tokens))
    run.rows = run.rows + 1


def cut(kept: int) -> Mutant:
    def mutant(run: Run) -> None:
        run.rows = (run.rows - len(run.tokens) + kept).clamp(min=-1)
        run.tokens = run.tokens[-kept:]

    return mutant


MUTANTS = {
    "cache.forgotten": {
        f"n = {n}": visible(lambda i, j, count, n=n: (j <= i) & (j // n == i // n)) for n in CHUNKS
    },
    "cache.last-lost": {f"n = {n}": last_lost(n) for n in CHUNKS},
    "cache.integers": stored(torch.trunc),
    "cache.quantized": {"q8_0": stored(in_float32(q8_0)), "q4_0": stored(in_float32(q4_0))},
    "cache.not-reset": not_reset,
    "tokens.bos-missing": bos_missing,
    "tokens.bos-twice": bos_twice,
    "tokens.cut": {"n = T/2": cut(320), "n = 512": cut(512)},
}
