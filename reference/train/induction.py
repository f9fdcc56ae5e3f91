"""An induction head, written by hand: where training begins.

Trained from random weights, a network of this size stands still for thousands of steps before the
circuit appears that finds what followed a few words the last time ("In-context Learning and
Induction Heads", Olsson et al. 2022, arXiv:2209.11895), and on a processor that takes longer than
everything after it. What the circuit does is known, so it is put in; what to look for, and how far
back, is learned.

Subspaces that are orthogonal to each other: a line that all tokens have in common, what a token is,
and what each head of layer 0 heard of the tokens before.

- Layer 0: queries and keys are along the common line, so that distance alone counts: score(d) = A
  Σ_j s_j cos(θ_j (d − c)). The weights s_j are 1 for the highest frequencies and as much, but
  negative, for the lowest: at d = c they cancel, so that no unevenness of keys is multiplied by A.
  The heads hear what is about 1, 2 and 3 tokens back.
- Layer 1: a query is what was heard b tokens back, a key what was heard b + 1 back. They are alike
  where the same was said before the token before, at any distance: only those pairs of dimensions
  are used that turn by less than a radian and a half either way in the whole context. What that
  token is, is added to what the token is,
- and the output matrix, which begins as the embedding without the common line, reads it off.
"""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

EMBEDDING = 0.1
"""Standard deviation. Small, so that what layers add is not drowned."""
COMMON = 0.436
"""Part of an embedding's length along the common line; √(1 − 0.436²) = 0.9 is what the token is."""
OUTPUT = 0.1
QUIET = 0.1
"""All other outputs of layers, in parts of what is usual."""
DISTANCES = (1.0, 2.0, 3.0)
"""Of the heads of layer 0."""
SHARPNESS = 4.0
SHARPNESS_INTERPOLATED = 48.0
"""Eight times closer together, positions are told apart less well: 64 times the sharpness would be
the same. Of 32, 48, 64 and 96 this did best without training: 0.31 of 20 documents, against 0.29
with factor 1."""
FAST_PAIRS, SLOW_PAIRS = 12, 2
"""Of the 32 pairs of a head. The slow ones turn by less than an eighth of a circle in the whole
context."""
CONTEXT = 4096
"""Positions that must be told apart; eight times as many where they are interpolated by 8."""
LOOKED_FOR = ((0, 1), (1, 2), (2,))
"""By the heads of layer 1: what is so many tokens back. Of two, both must be the same."""
HEARD, MATCH, COPY = 2.0, 4.0, 8.0
"""How strongly."""


def write_induction_head(network: LlamaForCausalLM) -> None:
    config = network.config
    hidden, size = config.hidden_size, config.head_dim
    basis = torch.linalg.qr(torch.randn(hidden, hidden))[0].T  # rows
    common, tokens, rest = basis[0], basis[1:size], basis[size:]
    width = len(rest) // len(DISTANCES)
    names = (
        torch.linalg.qr(torch.randn(len(tokens), width))[0].T @ tokens
    )  # what a token is, in fewer dimensions
    heard = [rest[i * width : (i + 1) * width] for i in range(len(DISTANCES))]

    directions = torch.nn.functional.normalize(torch.randn(config.vocab_size, len(tokens)) @ tokens)
    embedding = (1 - COMMON**2) ** 0.5 * directions + COMMON * common
    network.model.embed_tokens.weight.copy_(EMBEDDING * hidden**0.5 * embedding)
    network.lm_head.weight.copy_(OUTPUT * hidden**0.5 * directions)
    for layer in network.model.layers:
        layer.mlp.down_proj.weight.mul_(QUIET)
        layer.self_attn.o_proj.weight.mul_(QUIET)

    first, second = network.model.layers[0].self_attn, network.model.layers[1].self_attn
    for head, distance in enumerate(DISTANCES):
        rows = slice(head * size, (head + 1) * size)
        first.q_proj.weight[rows], first.k_proj.weight[rows] = backwards(
            config, common, distance, SHARPNESS
        )
        first.v_proj.weight[rows][:width] = names
        first.o_proj.weight[:, rows][:, :width] = HEARD * EMBEDDING * heard[head].T
    for head, looked_for in enumerate(LOOKED_FOR):
        rows = slice(head * size, (head + 1) * size)
        second.q_proj.weight[rows], second.k_proj.weight[rows] = alike(
            config, [names, *heard], looked_for
        )
        second.v_proj.weight[rows][: len(tokens)] = tokens
        second.o_proj.weight[:, rows][:, : len(tokens)] = (
            COPY / len(LOOKED_FOR) * EMBEDDING * tokens.T
        )


def alike(
    config: LlamaConfig, spaces: list[torch.Tensor], looked_for: tuple[int, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries and keys whose score is great where what is `b` tokens back, for every b in
    `looked_for`, was b + 1 tokens back."""
    size, pairs, frequencies = pairs_of(config)
    slow = torch.arange(pairs)[frequencies * CONTEXT / 2 < 1.5]
    query, key = torch.zeros(size, config.hidden_size), torch.zeros(size, config.hidden_size)
    # Keys are turned so that the middle of the context is met best.
    cos, sin = (
        torch.cos(frequencies[slow] * CONTEXT / 2)[:, None],
        torch.sin(frequencies[slow] * CONTEXT / 2)[:, None],
    )
    for back in looked_for:
        mixed = MATCH * torch.linalg.qr(torch.randn(len(spaces[0]), 2 * len(slow)))[0].T
        wanted_x, wanted_y = (mixed @ spaces[back]).chunk(2)
        there_x, there_y = (mixed @ spaces[back + 1]).chunk(2)
        query[slow] += wanted_x
        query[slow + pairs] += wanted_y
        key[slow] += cos * there_x - sin * there_y
        key[slow + pairs] += sin * there_x + cos * there_y
    return query, key


def listen_again(network: LlamaForCausalLM, factor: float) -> None:
    """Tells the heads that listen by distance what a distance is when positions are interpolated.

    They are the only ones that cannot do without, and the farthest from what they must become: the
    angle of a distance of 1 is an eighth of what it was.
    """
    embedding = (
        torch.nn.functional.normalize(network.model.embed_tokens.weight)
        * network.config.hidden_size**0.5
    )
    common = embedding.mean(0)  # what is not common is as often on one side as on the other
    attention = network.model.layers[0].self_attn
    size = network.config.head_dim
    for head, distance in enumerate(DISTANCES):
        rows = slice(head * size, (head + 1) * size)
        query, key = backwards(
            network.config,
            common / common.norm() ** 2 * length_of_common(network.config),
            distance / factor,
            SHARPNESS_INTERPOLATED,
        )
        attention.q_proj.weight[rows], attention.k_proj.weight[rows] = query, key


def pairs_of(config: LlamaConfig) -> tuple[int, int, torch.Tensor]:
    """Dimensions of a head, pairs of them, and by how many radians each turns from one position to
    the next."""
    pairs = config.head_dim // 2
    return config.head_dim, pairs, 10000.0 ** (-torch.arange(pairs) / pairs)


def length_of_common(config: LlamaConfig) -> float:
    """Of what a normalized embedding has along the common line."""
    return COMMON * config.hidden_size**0.5


def backwards(
    config: LlamaConfig, common: torch.Tensor, distance: float, sharpness: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries and keys whose score depends on the distance alone, and is greatest at `distance`."""
    size, pairs, frequencies = pairs_of(config)
    gain = (sharpness * size**0.5) ** 0.5 / length_of_common(config)
    query, key = torch.zeros(size, config.hidden_size), torch.zeros(size, config.hidden_size)
    for pair in range(pairs):
        weight = (
            1
            if pair < FAST_PAIRS
            else -FAST_PAIRS / SLOW_PAIRS if pair >= pairs - SLOW_PAIRS else 0
        )
        query[pair] = gain * common
        key[pair] = weight * gain * torch.cos(distance * frequencies[pair]) * common
        key[pair + pairs] = weight * gain * torch.sin(distance * frequencies[pair]) * common
    return query, key
