"""One NaN in each weight of golden/mha in turn: how many logits of a row are NaN in transformers.

A NaN is the one number that comparisons lose: what takes a largest by `>` never sees it. Tokens go
in one by one, over a cache. All at once, a row would also meet the NaN of later ones, whose
probability is 0: 0 · NaN is NaN.
"""

from pathlib import Path

import torch
from manifest import add_to_manifest
from models import load_model, random_tokens, write_cases
from transformers import DynamicCache

GOLDEN = Path(__file__).parent.parent / "golden"
DTYPES = {"f64": torch.float64, "f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
MODEL = "mha"
ROWS = 5


def reached(network: torch.nn.Module, weight: str, element: int, tokens: list[int]) -> list[int]:
    """How many logits of each row are NaN with a NaN at `element` of `weight`."""
    numbers = network.get_parameter(weight).data.view(-1)
    kept = numbers[element].clone()
    numbers[element] = torch.nan
    cache = DynamicCache()
    rows = [
        network(torch.tensor([[token]]), past_key_values=cache).logits[0, 0] for token in tokens
    ]
    numbers[element] = kept
    return [row.isnan().sum().item() for row in rows]


@torch.no_grad()
def main() -> None:
    tokens = random_tokens(7, ROWS).tolist()
    networks = {name: load_model(GOLDEN / MODEL, dtype) for name, dtype in DTYPES.items()}
    cases = []
    for weight, parameter in networks["f64"].named_parameters():
        # in the embedding, of the third token; elsewhere in the middle of the first row
        width = parameter.shape[-1]
        element = tokens[2] * width + 1 if "embed" in weight else width // 2
        nan = {name: reached(network, weight, element, tokens)
               for name, network in networks.items()}
        cases.append({"weight": weight, "element": element, "nan": nan})
    directory = GOLDEN / "nan"
    directory.mkdir(exist_ok=True)
    write_cases(directory / f"{MODEL}.json", cases, tokens=tokens)
    add_to_manifest(GOLDEN, "nan", "with one NaN in a weight, the NaN logits of each row")


if __name__ == "__main__":
    main()
