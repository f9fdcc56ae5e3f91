"""Cosines and sines of rotary position embeddings, as LlamaRotaryEmbedding computes them."""

import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

# (theta, head dimension, factor). A factor that is not a power of two tells position / factor from
# frequency / factor.
CASES = [(10000, 128, 8), (10000, 128, 1), (10000, 22, 8), (10000, 128, 3), (1000000, 128, 1)]
POSITIONS = [0, 1, 2, 7, 8, 40, 127, 128, 511, 1000, 4095, 4096, 8191, 16383, 16384, 32766, 32767]


def rope(theta: int, head_dim: int, factor: int) -> dict[str, torch.Tensor]:
    """`positions` [P], `inv_freq` [d/2] (already divided by the factor), `cos` and `sin` [P, d/2],
    in float32."""
    parameters = {"rope_type": "default", "rope_theta": float(theta)}
    if factor != 1:
        parameters |= {"rope_type": "linear", "factor": float(factor)}
    embedding = LlamaRotaryEmbedding(
        LlamaConfig(head_dim=head_dim, max_position_embeddings=32768, rope_parameters=parameters)
    )
    positions = torch.tensor(POSITIONS)
    cos, sin = embedding(torch.empty(0, dtype=torch.float32), positions[None])
    # Each is [1, P, d], its second half a copy of the first.
    half = head_dim // 2
    return {
        "positions": positions,
        "inv_freq": embedding.inv_freq.clone(),
        "cos": cos[0, :, :half].contiguous(),
        "sin": sin[0, :, :half].contiguous(),
    }
