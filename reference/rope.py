"""Cosines and sines of rotary position embeddings, as LlamaRotaryEmbedding computes them."""

import math

import torch
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

# (theta, head dimension, factor). A factor that is not a power of two tells position / factor from
# frequency / factor.
LINEAR_CASES = [
    (10000, 128, 8),
    (10000, 128, 1),
    (10000, 22, 8),
    (10000, 128, 3),
    (1000000, 128, 1),
]
# The name of a model; theta, head dimension, factor, low, high, original positions. The last is no
# model's: awkward numbers.
LLAMA3_CASES = {
    "llama-3.1-8b": (500000, 128, 8, 1, 4, 8192),
    "llama-3.2-1b": (500000, 64, 32, 1, 4, 8192),
    "awkward": (10000, 22, 5.3, 1.5, 7, 200),
}
POSITIONS = [0, 1, 2, 7, 8, 40, 127, 128, 511, 1000, 4095, 4096, 8191, 16383, 16384, 32766, 32767]


# Of Llama 3.1, up to its last.
MORE_POSITIONS = [32768, 65535, 65536, 100003, 131070, 131071]


def linear(theta: int, head_dim: int, factor: int) -> dict[str, torch.Tensor]:
    """As `tables`, with linear interpolation by `factor`."""
    parameters = {"rope_type": "default", "rope_theta": float(theta)}
    if factor != 1:
        parameters |= {"rope_type": "linear", "factor": float(factor)}
    return tables(head_dim, parameters, POSITIONS)


def llama3(
    theta: int, head_dim: int, factor: float, low: float, high: float, original: int
) -> dict[str, torch.Tensor]:
    """As `tables`, scaled by wavelength; and `factors` [d/2], as a GGUF file has them."""
    parameters = {
        "rope_type": "llama3",
        "rope_theta": float(theta),
        "factor": float(factor),
        "low_freq_factor": float(low),
        "high_freq_factor": float(high),
        "original_max_position_embeddings": original,
    }
    factors = gguf_factors(theta, head_dim, factor, low, high, original)
    return tables(head_dim, parameters, POSITIONS + MORE_POSITIONS) | {"factors": factors}


def gguf_factors(
    theta: float, head_dim: int, factor: float, low: float, high: float, original: int
) -> torch.Tensor:
    """What `rope_freqs.weight` [d/2] is: the formula of llama.cpp's convert_hf_to_gguf.py, in
    float32 with its roundings: 1, the factor, or what lies between."""
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
    wavelengths = 2 * math.pi / (1.0 / theta**exponents)
    smooth = (original / wavelengths - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    factors = torch.where(wavelengths < original / high, 1.0, between)
    return torch.where(wavelengths > original / low, float(factor), factors)


def tables(head_dim: int, parameters: dict, at: list[int]) -> dict[str, torch.Tensor]:
    """`positions` [P], `inv_freq` [d/2] (scaled already), `cos` and `sin` [P, d/2], in float32."""
    embedding = LlamaRotaryEmbedding(
        LlamaConfig(head_dim=head_dim, max_position_embeddings=131072, rope_parameters=parameters)
    )
    positions = torch.tensor(at)
    cos, sin = embedding(torch.empty(0, dtype=torch.float32), positions[None])
    # Each is [1, P, d], its second half a copy of the first.
    half = head_dim // 2
    return {
        "positions": positions,
        "inv_freq": embedding.inv_freq.clone(),
        "cos": cos[0, :, :half].contiguous(),
        "sin": sin[0, :, :half].contiguous(),
    }
