"""Attention for training on long contexts: documents are read piece by piece, questions see
everything.

Of a context with 200 documents and 48 questions, nearly all of the work of attention is what
documents do with other documents, of which there is nothing to learn. Here a document sees the
piece of 512 tokens in which it is (some are cut in two) and the beginning of the whole; a question
and its reply see everything, at the distances and among as many others as in earnest. At 30,000
tokens a step takes a sixth of the time. What documents do with other documents is learned at
shorter lengths.
"""

from functools import lru_cache

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

NAME = "documents_apart"
PIECE = 512
BEGINNING = 8
"""Tokens. Heads that find nothing rest there."""


def documents_apart(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    document_tokens: int = 0,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """As transformers calls it: query, key, value [sequences, heads, tokens, headDim] → [sequences,
    tokens, heads, headDim]. The first `document_tokens`, rounded down to whole pieces, are read
    apart. No mask is needed: sequences are filled up on the right.
    """
    n = document_tokens // PIECE * PIECE
    if n == 0:
        out = scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
    else:
        apart = pieces_alone(query[:, :, :n], key[:, :, :n], value[:, :, :n], scaling)
        seen = all_before(n, key.shape[2])
        out = torch.cat(
            [
                apart,
                scaled_dot_product_attention(
                    query[:, :, n:], key, value, attn_mask=seen, scale=scaling
                ),
            ],
            2,
        )
    return out.transpose(1, 2).contiguous(), None


@lru_cache(maxsize=1)
def all_before(n: int, tokens: int) -> torch.Tensor:
    """[tokens − n, tokens]: 0 where the token n + i sees the token j, −∞ elsewhere."""
    return torch.full((tokens - n, tokens), -torch.inf).triu(n + 1)


@lru_cache(maxsize=1)
def in_piece(count: int) -> torch.Tensor:
    """[count, 1, PIECE, BEGINNING + PIECE], in the same way. The first piece has the beginning
    anyway."""
    seen = (
        torch.full((PIECE, BEGINNING + PIECE), -torch.inf)
        .triu(BEGINNING + 1)
        .repeat(count, 1, 1, 1)
    )
    seen[0, :, :, :BEGINNING] = -torch.inf
    return seen


def pieces_alone(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
) -> torch.Tensor:
    sequences, heads, n, size = query.shape
    count = n // PIECE

    def cut(x: torch.Tensor) -> torch.Tensor:
        return (
            x.reshape(sequences, heads, count, PIECE, size)
            .transpose(1, 2)
            .reshape(sequences * count, heads, PIECE, size)
        )

    def begun(x: torch.Tensor) -> torch.Tensor:
        beginning = (
            x[:, None, :, :BEGINNING]
            .expand(sequences, count, heads, BEGINNING, size)
            .reshape(sequences * count, heads, BEGINNING, size)
        )
        return torch.cat([beginning, cut(x)], 2)

    out = scaled_dot_product_attention(
        cut(query),
        begun(key),
        begun(value),
        attn_mask=in_piece(count).repeat(sequences, 1, 1, 1),
        scale=scaling,
    )
    return (
        out.reshape(sequences, count, heads, PIECE, size)
        .transpose(1, 2)
        .reshape(sequences, heads, n, size)
    )


AttentionInterface.register(NAME, documents_apart)
