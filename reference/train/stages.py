"""The stages of training, one after the other."""

from curriculum import Stage, Step, everything, long_documents, some_documents
from induction import CONTEXT
from instructions import reverse, which
from network import FACTOR, POSITIONS
from small_talk import small_talk

DRILLED = (reverse, reverse, small_talk)
"""What is learned last, from many instructions on."""
DRILLED_AT_THE_END = (*[which] * 3, *[small_talk] * 4, reverse)
"""What was still wrong after the stages before."""
DRILLED_LAST = (*[which] * 16, *[small_talk] * 3, *[reverse] * 2)
"""What was still wrong after that."""
SOME_TURNS, MANY_TURNS, MORE_TURNS = (1, 2, 4, 8, 12), (1, 2, 16, 32), (1, 32, 48, 64)


def stretched(name: str, step: Step, steps: int, rate: float, last_rate: float) -> Stage:
    return Stage(name, step, steps, FACTOR, POSITIONS, rate, last_rate)


STAGES: list[Stage] = [
    *[
        Stage(f"{count} documents", some_documents(count, 4096), steps, 1.0, CONTEXT, goal=0.93)
        for count, steps in ((4, 100), (8, 100), (16, 100), (24, 150))
    ],
    Stage("everything, 2048 tokens", everything(2048, 3, SOME_TURNS), 200, 1.0, CONTEXT, 0.7, 0.7),
    stretched("stretched, 2048 tokens", everything(2048, 3, SOME_TURNS), 300, 0.7, 0.5),
    stretched(
        "up to 31,000 tokens",
        long_documents(4000, 31000, everything(2048, 2, MANY_TURNS)),
        160,
        0.5,
        0.372,
    ),
    stretched("many instructions", everything(2048, 3, MORE_TURNS, DRILLED), 500, 0.7, 0.414),
    stretched(
        "up to 31,000 tokens, slower",
        long_documents(8000, 31000, everything(2048, 3, MORE_TURNS, DRILLED)),
        200,
        0.4,
        0.02,
    ),
    stretched(
        "16,000 to 31,500 tokens",
        long_documents(16000, 31500, everything(2048, 3, MORE_TURNS, DRILLED)),
        90,
        0.3,
        0.01,
    ),
    stretched(
        "24,000 to 31,500 tokens",
        long_documents(24000, 31500, everything(2048, 3, MORE_TURNS, DRILLED)),
        45,
        0.3,
        0.01,
    ),
    stretched(
        "12,000 to 31,500 tokens, drills",
        long_documents(12000, 31500, everything(2048, 4, MORE_TURNS, DRILLED_AT_THE_END)),
        40,
        0.25,
        0.01,
    ),
    stretched(
        "8,000 to 31,500 tokens, kinds",
        long_documents(8000, 31500, everything(2048, 5, MORE_TURNS, DRILLED_LAST)),
        40,
        0.3,
        0.01,
    ),
]
