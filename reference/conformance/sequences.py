"""The models of the pack, the text that each reads, and the positions at which it is asked."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from models import Model, random_tokens, write_model

# Where chunks, pages, vectors and tables begin and end.
AWKWARD = [0, 1, 2, 7, 8, 63, 64, 65, 127, 128, 255, 256, 511, 512]


@dataclass(frozen=True)
class Sequence:
    """A model and its one text."""

    model: Model
    length: int
    asked: int

    @property
    def tokens(self) -> torch.Tensor:
        return random_tokens(self.model.seed + 1, self.length, self.model.vocab)

    @property
    def positions(self) -> list[int]:
        """The awkward ones, powers of two beyond, the last; and others, to be `asked` many."""
        powers = [2**n - below for n in range(10, 15) for below in (1, 0)]
        fixed = [p for p in [*AWKWARD, *powers] if p < self.length] + [self.length - 1]
        others = np.setdiff1d(np.arange(self.length), fixed)
        draw = np.random.Generator(np.random.PCG64(self.model.seed + 2))
        drawn = draw.choice(others, self.asked - len(fixed), replace=False)
        return sorted([*fixed, *drawn.tolist()])


TOY = Sequence(
    Model(
        "toy",
        "the model in which bugs show: grouped heads, odd sizes, embeddings so small that eps "
        "shows, a head of its own, norm weights away from 1, attention to far tokens",
        seed=66,
        layers=2,
        hidden=66,
        heads=6,
        kv_heads=2,
        head_dim=22,
        intermediate=173,
        vocab=264,
    ),
    length=640,
    asked=64,
)
BLOCKS = Sequence(
    Model(
        "blocks",
        "rows of whole blocks, for the quantized formats; its numbers are exact in bfloat16",
        seed=256,
        layers=1,
        hidden=256,
        heads=4,
        kv_heads=2,
        head_dim=64,
        intermediate=512,
        vocab=320,
        dtype=torch.bfloat16,
    ),
    length=256,
    asked=32,
)
LONG = Sequence(
    Model(
        "long",
        "small enough for 32,768 positions",
        seed=32767,
        layers=1,
        hidden=48,
        heads=2,
        kv_heads=1,
        head_dim=24,
        intermediate=50,
        vocab=96,
    ),
    length=32768,
    asked=64,
)
SEQUENCES = [TOY, BLOCKS, LONG]


def write_sequence(sequence: Sequence, directory: Path) -> None:
    """config.json, model.safetensors and tokens.json."""
    directory.mkdir()
    write_model(sequence.model, directory)
    (directory / "generation_config.json").unlink()
    tokens = json.dumps({"tokens": sequence.tokens.tolist()}, separators=(",", ":"))
    (directory / "tokens.json").write_text(tokens + "\n")
