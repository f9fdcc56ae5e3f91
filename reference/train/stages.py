"""The stages of training, one after the other."""

from curriculum import Stage, documents_stage, mixture
from network import FACTOR, POSITIONS


MANY_INSTRUCTIONS, MANY_DOCUMENTS = (2, 1, 1), (1, 1, 2)


def mixture_stage(
    length: int, steps: int, tokens: int, rate: float, last_rate: float, factor: float, positions: int = 0, shares: tuple[int, int, int] = MANY_INSTRUCTIONS
) -> Stage:
    name = f"mixture of {length} tokens, {tokens} a step{f', over {positions} positions' if positions else ''}, factor {factor:g}"
    return Stage(name, lambda rng, tokenizer: mixture(length, shares, rng, tokenizer), tokens, 2.0, steps, factor, positions, rate, last_rate)


STAGES: list[Stage] = [
    *[documents_stage(count, 1, 0.93, steps) for count, steps in ((4, 400), (7, 200), (12, 150), (20, 150))],
    mixture_stage(2048, 250, 2048, 1.0, 1.0, 1.0),
    mixture_stage(4096, 40, 4096, 1.0, 1.0, 1.0),
    mixture_stage(2048, 780, 2048, 1.0, 1.0, FACTOR, POSITIONS),
    mixture_stage(2048, 290, 6144, 0.5, 0.37, FACTOR, POSITIONS),
    mixture_stage(4096, 120, 8192, 0.5, 0.4, FACTOR, POSITIONS, MANY_DOCUMENTS),
    mixture_stage(8192, 55, 16384, 0.4, 0.2, FACTOR, POSITIONS, MANY_DOCUMENTS),
    mixture_stage(16384, 13, 16384, 0.3, 0.2, FACTOR, POSITIONS, MANY_DOCUMENTS),
    mixture_stage(8000, 82, 16000, 0.46, 0.2, FACTOR, POSITIONS, MANY_DOCUMENTS),
]
