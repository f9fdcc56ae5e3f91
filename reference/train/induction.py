"""An induction head, written by hand: where training begins.

Trained from random weights, a network of this size stands still for thousands of steps before the circuit appears that finds what followed a few words the
last time ("In-context Learning and Induction Heads", Olsson et al. 2022, arXiv:2209.11895), and on a processor that takes longer than everything after it.
What the circuit does is known, so it is put in; what to look for, and how far back, is learned.

Four subspaces that are orthogonal to each other: a line that all tokens have in common, what a token is, and what two heads heard of the tokens before it.

- Layer 0, heads 0 and 1: queries and keys are along the common line, so that distance alone counts: score(d) = A Σ_j s_j cos(θ_j (d − c)). The signs s_j are
  + for high frequencies and − for as many low ones: at d = c they cancel, so that no unevenness of keys is multiplied by A. They hear what is about 2 and 3
  tokens back.
- Layer 1: queries are what was heard 2 back, keys what was heard 3 back, in pairs of dimensions that turn slowly. They are alike where the same was said
  before the token before. What that token is, is added to what the token is,
- and the output matrix, which begins as the embedding, reads it off.
"""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

EMBEDDING = 0.1
"""Standard deviation. Small, so that what layers add is not drowned."""
COMMON = 0.436
"""Part of an embedding's length along the common line; √(1 − 0.436²) = 0.9 is what the token is."""
HEAD = 0.1
QUIET = 0.1
"""All other outputs of layers, in parts of what is usual."""
DISTANCES = (2.0, 3.0)
SHARPNESS = 2.0
SHARPNESS_INTERPOLATED = 64.0
"""Eight times closer together, positions are told apart less well: 64 times the sharpness would be the same. Half of it did best, at once, without training."""
COUNTED_PAIRS = 6
"""Of the 16 pairs of a head, so many on either side."""
HEARD, MATCH, COPY = 2.0, 4.0, 4.0
"""How strongly."""


def write_induction_head(network: LlamaForCausalLM) -> None:
    config = network.config
    hidden, size = config.hidden_size, config.head_dim
    basis = torch.linalg.qr(torch.randn(hidden, hidden))[0].T  # rows
    common, tokens, heard = basis[0], basis[1 : hidden // 2], basis[hidden // 2 :]
    halves = (basis[1 : size + 1], basis[size : 2 * size])  # of what a token is
    names = torch.linalg.qr(torch.randn(len(tokens), size))[0].T @ tokens  # all of it, in as many dimensions as a head has
    slow = [i for i in range(size) if i % (size // 2) >= COUNTED_PAIRS]

    directions = torch.nn.functional.normalize(torch.randn(config.vocab_size, len(tokens)) @ tokens)
    embedding = (1 - COMMON**2) ** 0.5 * directions + COMMON * common
    network.model.embed_tokens.weight.copy_(EMBEDDING * hidden**0.5 * embedding)
    network.lm_head.weight.copy_(HEAD * hidden**0.5 * directions)
    for layer in network.model.layers:
        layer.mlp.down_proj.weight.mul_(QUIET)
        layer.self_attn.o_proj.weight.mul_(QUIET)

    first, second = network.model.layers[0].self_attn, network.model.layers[1].self_attn
    for head, distance in enumerate(DISTANCES):
        rows = slice(head * size, (head + 1) * size)
        first.q_proj.weight[rows], first.k_proj.weight[rows] = backwards(config, common, distance, SHARPNESS)
        first.v_proj.weight[rows] = names
        first.o_proj.weight[:, rows] = HEARD * EMBEDDING * heard[rows].T
    for head in range(config.num_attention_heads):
        rows = slice(head * size, (head + 1) * size)
        mixed = torch.linalg.qr(torch.randn(size, size))[0][: len(slow)]
        query, key = torch.zeros(size, hidden), torch.zeros(size, hidden)
        query[slow], key[slow] = MATCH * mixed @ heard[:size], MATCH * mixed @ heard[size:]
        second.q_proj.weight[rows], second.k_proj.weight[rows] = query, key
        second.v_proj.weight[rows] = halves[head % 2]
        second.o_proj.weight[:, rows] = COPY * EMBEDDING * halves[head % 2].T


def listen_again(network: LlamaForCausalLM, factor: float) -> None:
    """Tells the two heads that listen by distance what a distance is when positions are interpolated.

    They are the only ones that cannot do without, and the farthest from what they must become: the angle of a distance of 1 is an eighth of what it was.
    """
    embedding = torch.nn.functional.normalize(network.model.embed_tokens.weight) * network.config.hidden_size**0.5
    common = embedding.mean(0)  # what is not common is as often on one side as on the other
    attention = network.model.layers[0].self_attn
    size = network.config.head_dim
    for head, distance in enumerate(DISTANCES):
        rows = slice(head * size, (head + 1) * size)
        query, key = backwards(network.config, common / common.norm() ** 2 * length_of_common(network.config), distance / factor, SHARPNESS_INTERPOLATED)
        attention.q_proj.weight[rows], attention.k_proj.weight[rows] = query, key


def length_of_common(config: LlamaConfig) -> float:
    """Of what a normalized embedding has along the common line."""
    return COMMON * config.hidden_size**0.5


def backwards(config: LlamaConfig, common: torch.Tensor, distance: float, sharpness: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries and keys whose score depends on the distance alone, and is greatest at `distance`."""
    size, pairs = config.head_dim, config.head_dim // 2
    frequencies = 10000.0 ** (-torch.arange(pairs) / pairs)
    gain = (sharpness * size**0.5) ** 0.5 / length_of_common(config)
    query, key = torch.zeros(size, config.hidden_size), torch.zeros(size, config.hidden_size)
    for pair in range(pairs):
        sign = 1 if pair < COUNTED_PAIRS else -1 if pair >= pairs - COUNTED_PAIRS else 0
        query[pair] = gain * common
        key[pair] = sign * gain * torch.cos(distance * frequencies[pair]) * common
        key[pair + pairs] = sign * gain * torch.sin(distance * frequencies[pair]) * common
    return query, key
