"""The stages of training, one after the other."""

from curriculum import Stage, everything, long_documents, some_documents
from network import FACTOR, POSITIONS

BASE_POSITIONS = 4096
MANY_TURNS, MORE_TURNS = (1, 2, 16, 32), (1, 32, 48, 64)

STAGES: list[Stage] = [
    *[
        Stage(f"{count} documents", some_documents(count, 4096), 0.93, steps, 1.0, BASE_POSITIONS)
        for count, steps in ((4, 100), (8, 100), (16, 100), (24, 150))
    ],
    Stage("everything, 2048 tokens", everything(2048, 3), 2.0, 200, 1.0, BASE_POSITIONS, 0.7, 0.7),
    Stage("stretched, 2048 tokens", everything(2048, 3), 2.0, 300, FACTOR, POSITIONS, 0.7, 0.5),
    Stage("up to 31,000 tokens", long_documents(4000, 31000, everything(2048, 2, MANY_TURNS)), 2.0, 160, FACTOR, POSITIONS, 0.5, 0.372),
    Stage("many instructions", everything(2048, 3, MORE_TURNS), 2.0, 500, FACTOR, POSITIONS, 0.7, 0.414),
    Stage("up to 31,000 tokens, slower", long_documents(8000, 31000, everything(2048, 3, MORE_TURNS)), 2.0, 200, FACTOR, POSITIONS, 0.4, 0.02),
]
