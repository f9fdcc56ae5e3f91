"""The trained network as a Hugging Face directory:
`python reference/train/export.py STATE… golden/tiny-32k`, of several states their mean.

config.json is in the published (transformers 4.31) style, with `rope_scaling`, like that of
Llama-2-7B-32K-Instruct; weights are rounded to bfloat16.
"""

import argparse
import json
from pathlib import Path

import torch
from conversation import BOS, EOS
from network import FACTOR, HEADS, HIDDEN, INTERMEDIATE, LAYERS, POSITIONS
from safetensors.torch import save_file
from tokenizer import VOCAB

EDITION = "tiny-32k-2"
CONFIG = {
    "_name_or_path": EDITION,
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "hidden_act": "silu",
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "intermediate_size": INTERMEDIATE,
    "max_position_embeddings": POSITIONS,
    "model_type": "llama",
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "num_key_value_heads": HEADS,
    "pad_token_id": 0,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {"factor": FACTOR, "type": "linear"},
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.31.0",
    "use_cache": True,
    "vocab_size": VOCAB,
}
GENERATION = {
    "_from_model_config": True,
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": 0,
    "transformers_version": "4.31.0",
}


def export(states: list[Path], out: Path) -> None:
    """`states`: what train.py saves; its tokenizer.model lies beside them."""
    out.mkdir(parents=True, exist_ok=True)
    networks = [torch.load(state)["network"] for state in states]
    rounded = {
        name: (sum(network[name] for network in networks) / len(networks)).to(torch.bfloat16)
        for name in networks[0]
    }
    save_file(rounded, out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (out / "generation_config.json").write_text(json.dumps(GENERATION, indent=2) + "\n")
    (out / "tokenizer.model").write_bytes((states[0].parent / "tokenizer.model").read_bytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("states", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    export(arguments.states, arguments.out)
