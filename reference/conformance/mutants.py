"""What each mutant makes of the toy's text. `reference/mutants/` patches them into transformers."""

import torch
from conformance.pack import Pack
from conformance.sequences import TOY
from models import load_model
from mutants.run import logits
from mutants.table import MISSING, all_mutants

NAME = "mutants.safetensors"
# Of each of the chunks that there are variants for, the first or another row; and the last.
POSITIONS = [1, 8, 64, 129, 256, 321, 512, 639]


def add_mutants(pack: Pack) -> None:
    network = load_model(pack.path(TOY.model.name), torch.float64)
    tensors = {
        name: logits(network, TOY.tokens, mutant)[POSITIONS]
        for name, mutant in all_mutants().items()
    }
    pack.save(
        NAME,
        tensors,
        {"positions": POSITIONS, "missing": MISSING},
        "logits [8 positions, V] of the toy with a bug, by `id` or `id|variant`; NaN: no answer",
        "transformers in float64, patched: reference/mutants",
    )
