"""Logits and traces of the sequences, in float64."""

from unittest import mock

import torch
from conformance.pack import Pack
from conformance.sequences import BLOCKS, LONG, TOY, Sequence, write_sequence
from models import load_model
from tracing import in_float64, trace
from transformers import LlamaForCausalLM
from transformers.models.llama import modeling_llama

BY = "transformers in float64 throughout: RMSNorm, softmax, cosines and sines lifted from float32"
# Before the first boundary, at it, past the last multiple of 32 and 64, and the end.
TRACED = [0, 1, 8, 65, 257, 639]
# Of the last row of the long text, which is compared with plain eager attention.
PREFIX = 1500


def add_rows(
    pack: Pack,
    name: str,
    tensors: dict[str, torch.Tensor],
    positions: list[int],
    what: str,
    by: str = BY,
) -> None:
    """Tensors with a row for each of `positions`, which the metadata have too."""
    rows = {**tensors, "positions": torch.tensor(positions)}
    pack.save(name, rows, {"positions": positions}, what, by)


@torch.no_grad()
def logits(network: LlamaForCausalLM, tokens: torch.Tensor, positions: list[int]) -> torch.Tensor:
    """[P, V] in float64."""
    with in_float64():
        kept = torch.tensor(positions)
        return network(tokens[None], use_cache=False, logits_to_keep=kept).logits[0]


def row_by_row(positions: list[int]):
    """Eager attention of the rows `positions` alone, each over the keys up to its own; the others
    are zeros. Without a mask, for which there is nothing left to do: scores and mask of 32,768
    rows would take 26 GB."""
    whole = modeling_llama.eager_attention_forward

    def attention(module, query, key, value, attention_mask, **options):
        out = torch.zeros_like(query).transpose(1, 2)
        for p in positions:
            row, seen = slice(p, p + 1), slice(0, p + 1)
            out[:, row], _ = whole(
                module, query[:, :, row], key[:, :, seen], value[:, :, seen], None, **options
            )
        return out, None

    return attention


def long_logits(
    network: LlamaForCausalLM, tokens: torch.Tensor, positions: list[int]
) -> torch.Tensor:
    """As `logits`, of a network with one layer, in which no row's attention needs another's."""
    with (
        mock.patch.object(modeling_llama, "eager_attention_forward", row_by_row(positions)),
        mock.patch.object(modeling_llama, "create_causal_mask", lambda **_: None),
    ):
        return logits(network, tokens, positions)


def check_long_logits(network: LlamaForCausalLM, tokens: torch.Tensor) -> None:
    """That rows one by one are what the whole is."""
    beginning, positions = tokens[:PREFIX], list(range(0, PREFIX, 100))
    difference = long_logits(network, beginning, positions) - logits(network, beginning, positions)
    assert difference.abs().max() < 1e-12, difference.abs().max()


def add_sequence(pack: Pack, sequence: Sequence) -> LlamaForCausalLM:
    """Write model and text; returns the network in float64."""
    model = sequence.model
    write_sequence(sequence, pack.path(model.name))
    drawn = "NumPy's PCG64"
    pack.add(f"{model.name}/config.json", model.what, "transformers")
    pack.add(f"{model.name}/model.safetensors", "random weights", drawn)
    pack.add(f"{model.name}/tokens.json", "the text", drawn)
    pack.sequences.append(
        {
            "name": model.name,
            "model": model.name,
            "tokens": f"{model.name}/tokens.json",
            "length": sequence.length,
            "logits": f"{model.name}/logits.safetensors",
            "positions": sequence.positions,
        }
    )
    return load_model(pack.path(model.name), torch.float64)


def add_logits(pack: Pack, sequence: Sequence, rows: torch.Tensor, by: str = BY) -> None:
    name = f"{sequence.model.name}/logits.safetensors"
    add_rows(pack, name, {"logits": rows}, sequence.positions, "logits [positions, V]", by)


def add_trace(pack: Pack, network: LlamaForCausalLM, tokens: torch.Tensor) -> None:
    with in_float64():
        tensors = trace(network, tokens)
    del tensors["tokens"]
    name = "toy/trace.safetensors"
    rows = {key: tensor[TRACED] for key, tensor in tensors.items()}
    add_rows(pack, name, rows, TRACED, "every intermediate tensor, a row for each position")
    pack.sequences[-1]["trace"] = {"file": name, "positions": TRACED}


def add_goldens(pack: Pack) -> None:
    """All three models, and what transformers makes of their texts."""
    network = add_sequence(pack, TOY)
    add_logits(pack, TOY, logits(network, TOY.tokens, TOY.positions))
    add_trace(pack, network, TOY.tokens)

    network = add_sequence(pack, BLOCKS)
    add_logits(pack, BLOCKS, logits(network, BLOCKS.tokens, BLOCKS.positions))

    network = add_sequence(pack, LONG)
    check_long_logits(network, LONG.tokens)
    rows = long_logits(network, LONG.tokens, LONG.positions)
    add_logits(pack, LONG, rows, f"{BY}; attention of the asked rows alone, one by one")
