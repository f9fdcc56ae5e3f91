"""Write golden/dumps: what transformers computes from five tokens, in the files in which others
may leave such tensors, with the names and axes that hooks on modules give. It needs ml_dtypes.
"""

from pathlib import Path
from unittest import mock

import ml_dtypes
import numpy as np
import torch
from manifest import add_to_manifest
from models import Model, random_tokens, random_weights, write_json
from safetensors.numpy import save_file
from tracing import trace
from transformers import LlamaForCausalLM
from transformers.models.llama import modeling_llama

GOLDEN = Path(__file__).parent.parent / "golden"
DIRECTORY = GOLDEN / "dumps"
MODEL = Model(
    "dumps",
    "heads together are wider than hidden",
    seed=1729,
    layers=2,
    hidden=8,
    heads=4,
    kv_heads=2,
    head_dim=6,
    intermediate=11,
)
POSITIONS = [4, 1]
Arrays = dict[str, np.ndarray]


@torch.no_grad()
def hooked(network: LlamaForCausalLM, tokens: torch.Tensor) -> Arrays:
    """What every module returns, its batch axis and all, and queries and keys after rotation."""
    arrays = {"input_ids": tokens[None].numpy()}

    def keep(name: str, value: object) -> None:
        if isinstance(value, torch.Tensor):
            arrays[name] = value.contiguous().numpy().copy()

    def hook(name: str):
        def keep_all(_module, _inputs, output):
            if isinstance(output, torch.Tensor):
                keep(name, output)
                return
            values = output if isinstance(output, tuple) else output.to_tuple()
            for index, value in enumerate(values):
                keep(f"{name}.output.{index}", value)

        return keep_all

    handles = [
        module.register_forward_hook(hook(name))
        for name, module in network.named_modules()
        if name not in ("", "lm_head")
    ]
    rotate = modeling_llama.apply_rotary_pos_emb
    rotations = []

    def rotate_and_keep(*given, **options):
        rotations.append(rotate(*given, **options))
        return rotations[-1]

    with mock.patch.object(modeling_llama, "apply_rotary_pos_emb", rotate_and_keep):
        keep("logits", network(tokens[None], use_cache=False).logits)
    for handle in handles:
        handle.remove()
    for layer, (queries, keys) in enumerate(rotations):
        keep(f"model.layers.{layer}.self_attn.q_rotated", queries)
        keep(f"model.layers.{layer}.self_attn.k_rotated", keys)
    return arrays


def write_directory(directory: Path, traced: Arrays) -> None:
    """One array in each way of writing one."""
    directory.mkdir(exist_ok=True)
    layer = "model.layers.1"
    arrays = {
        "tokens": traced["tokens"].astype(">i2"),
        "positions": np.array([POSITIONS], dtype=np.uint8),
        "logits": np.asfortranarray(traced["lm_head"][POSITIONS].astype(np.float64)),
        "model.embed_tokens": traced["model.embed_tokens"].astype(np.float16),
        "model.norm": traced["model.norm"].astype(">f4"),
        f"{layer}": traced[layer].astype(ml_dtypes.bfloat16),
        f"{layer}.self_attn.probabilities": np.asfortranarray(
            traced[f"{layer}.self_attn.probabilities"].astype(">f8")
        ),
    }
    for name, array in arrays.items():
        np.save(directory / f"{name}.npy", array)
    for version in (2, 3):
        name = f"{layer}.mlp.{'gate_proj' if version == 2 else 'up_proj'}"
        with open(directory / f"{name}.npy", "wb") as file:
            np.lib.format.write_array(file, traced[name], (version, 0))


def main() -> None:
    network = random_weights(MODEL).eval()
    tokens = random_tokens(5, 5)
    traced = {name: tensor.numpy() for name, tensor in trace(network, tokens).items()}
    DIRECTORY.mkdir(exist_ok=True)
    write_json(DIRECTORY / "config.json", network.config.to_dict())
    save_file(traced, DIRECTORY / "trace.safetensors")
    np.savez_compressed(DIRECTORY / "hooks.npz", **hooked(network, tokens))
    np.savez(
        DIRECTORY / "logits.npz",
        tokens=traced["tokens"],
        positions=np.array(POSITIONS),
        logits=traced["lm_head"][None, POSITIONS],
    )
    write_directory(DIRECTORY / "npy", traced)
    add_to_manifest(GOLDEN, "dumps", "what five tokens give, in the files and names of others")


if __name__ == "__main__":
    main()
