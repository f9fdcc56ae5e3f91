"""What the scripts of this folder share: their arguments, and the dump that they write."""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def main(compute: Callable[[argparse.Namespace], np.ndarray | dict[str, np.ndarray]]) -> None:
    """Write what `compute` makes of the arguments: logits [T, V], or tensors by their names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path, help="a Hugging Face directory, or a GGUF file")
    parser.add_argument("tokens", type=Path, help='JSON: {"tokens": [...]}')
    parser.add_argument("out", type=Path, help="the dump, .safetensors")
    parser.add_argument("--type", default="f32", help="in which to compute")
    parser.add_argument("--variant", default="", help="one of the ways that the engine has")
    arguments = parser.parse_args()
    arguments.tokens = json.loads(arguments.tokens.read_text())["tokens"]
    computed = compute(arguments)
    tensors = computed if isinstance(computed, dict) else {"logits": computed}
    numbers = {name: np.ascontiguousarray(x, np.float32) for name, x in tensors.items()}
    save_file({"tokens": np.array(arguments.tokens, np.int64)} | numbers, arguments.out)


def with_rope_scaling(model: Path) -> Path:
    """A copy of the directory whose configuration is in the form from before transformers 5.

    That has `rope_theta` and `rope_scaling` in place of `rope_parameters`. Who knows the old form
    alone takes the new one for a model without scaling, and says nothing.
    """
    config = json.loads((model / "config.json").read_text())
    rope = config.pop("rope_parameters", None)
    if rope is None:
        return model
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = rope | {"type": rope["rope_type"]}
    copy = Path(tempfile.mkdtemp(prefix="rope-scaling-"))
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "model.safetensors").symlink_to((model / "model.safetensors").resolve())
    return copy
