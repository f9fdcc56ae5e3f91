"""What transformers computes of a text: logits, and what each module gives.

python dump_transformers.py MODEL tokens.txt theirs.safetensors [float32 | bfloat16 | float16]

MODEL is a directory or a name of the hub, tokens.txt has ids as `llama-32k tokenize` prints them.
Names of modules are understood as they are.
"""

import re
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, PreTrainedModel

LAYER = r"(input_layernorm|post_attention_layernorm|self_attn\.[qkvo]_proj|mlp\.\w+_proj)"
WANTED = re.compile(rf"model\.(embed_tokens|norm|layers\.\d+(\.{LAYER})?)")


@torch.no_grad()
def dump(model: PreTrainedModel, tokens: list[int]) -> dict[str, torch.Tensor]:
    """`tokens`, `logits` and the outputs of modules, a row for each token."""
    tensors = {"tokens": torch.tensor(tokens)}

    def keep(name: str):
        def hook(_module, _inputs, output):
            whole = output[0] if isinstance(output, tuple) else output  # [1, T, …]
            tensors[name] = whole[0].contiguous().clone()

        return hook

    modules = [each for each in model.named_modules() if WANTED.fullmatch(each[0])]
    hooks = [module.register_forward_hook(keep(name)) for name, module in modules]
    ids = torch.tensor([tokens], device=model.device)
    tensors["logits"] = model(ids, use_cache=False).logits[0].contiguous()
    for hook in hooks:
        hook.remove()
    return tensors


def main(path: str, tokens: str, out: str, dtype: str = "float32") -> None:
    """Load, run once, save."""
    ids = [int(id) for id in Path(tokens).read_text().split(",")]
    model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype)).eval()
    save_file(dump(model, ids), out)


if __name__ == "__main__":
    main(*sys.argv[1:])
