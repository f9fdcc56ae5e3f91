"""Write what transformers computes of the pack's toy with each bug of `mutants/` in it, as people
run it: eager, in float32 or bfloat16, whose rounding is their own and not ours.

Two dumps for each, as `llama-32k compare` reads them: the logits of all positions, and tensors of
a trace at the pack's 64 positions. docs/oracle-power.md has what the oracle says of them.

    PYTHONPATH=reference .venv/bin/python reference/engines/power.py --output DIR [--type bf16]
"""

import argparse
import json
from pathlib import Path

import torch
import transformers
from conformance.sequences import TOY as SEQUENCE
from models import load_model
from mutants.run import Mutant, Run, mutated
from mutants.table import all_mutants
from safetensors.torch import save_file
from torch.nn import Module
from tracing import heads_last
from transformers.models.llama import modeling_llama

TOY = Path(__file__).parents[2] / "golden" / "conformance" / "toy"
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
PROJECTIONS = [f"self_attn.{letter}_proj" for letter in "qkvo"]
IN_LAYER = [
    "input_layernorm",
    *PROJECTIONS,
    "post_attention_layernorm",
    *(f"mlp.{name}_proj" for name in ("gate", "up", "down")),
]
Tensors = dict[str, torch.Tensor]


def modules(network: Module) -> dict[str, Module]:
    """Those whose outputs are dumped: not all layers need be there."""
    layers = [f"model.layers.{index}" for index in range(len(network.model.layers))]
    names = [f"{layer}.{name}" for layer in layers for name in IN_LAYER]
    return {
        name: network.get_submodule(name) for name in [*names, *layers, "model.norm", "lm_head"]
    }


def keep_outputs(network: Module) -> Tensors:
    """Fills while the network runs."""
    kept: Tensors = {}

    def keep(name):
        return lambda _module, _inputs, output: kept.update({name: output[0]})

    for name, module in modules(network).items():
        module.register_forward_hook(keep(name))
    return kept


def keep_rotated(run: Run) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Fills with the queries and keys of each layer, whatever it is that rotates them."""
    rotate, kept = modeling_llama.apply_rotary_pos_emb, []

    def rotate_and_keep(*inputs):
        kept.append(rotate(*inputs))
        return kept[-1]

    run.replace(modeling_llama, "apply_rotary_pos_emb", rotate_and_keep)
    return kept


@torch.no_grad()
def traced(network: Module, tokens: torch.Tensor, mutant: Mutant) -> tuple[Tensors, torch.Tensor]:
    """All tensors, and which of their rows answers each place of the text."""
    with mutated(network, tokens, mutant) as run:
        tensors, rotated = keep_outputs(run.network), keep_rotated(run)
        run.network(run.tokens[None], use_cache=False)
    for index, pair in enumerate(rotated):
        for letter, x in zip("qk", pair):
            tensors[f"model.layers.{index}.self_attn.{letter}_rotated"] = heads_last(x)
    return tensors, run.rows


def dump(path: Path, tensors: Tensors, rows: torch.Tensor, asked: list[int]) -> None:
    """Of the positions `asked` those that have an answer.

    A tensor that is one number everywhere is left out: `compare` tells so and goes no further.
    """
    positions = torch.tensor([position for position in asked if rows[position] >= 0])
    kept = {name: tensor[rows[positions]].contiguous() for name, tensor in tensors.items()}
    kept = {name: tensor for name, tensor in kept.items() if tensor.unique().numel() > 1}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"tokens": SEQUENCE.tokens, "positions": positions, **kept}, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--type", choices=DTYPES, default="f32")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = load_model(TOY, DTYPES[options.type])
    everywhere = list(range(SEQUENCE.length))
    names = ["honest"]
    for name, mutant in {"honest": lambda run: None, **all_mutants()}.items():
        tensors, rows = traced(network, SEQUENCE.tokens, mutant)
        file = f"{len(names) - 1:03}.safetensors"
        logits = {"lm_head": tensors["lm_head"]}
        dump(options.output / "logits" / file, logits, rows, everywhere)
        dump(options.output / "traces" / file, tensors, rows, SEQUENCE.positions)
        names.append(name)
    about = f"transformers {transformers.__version__}, torch {torch.__version__}"
    index = {"type": options.type, "about": about, "names": names[1:]}
    (options.output / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
