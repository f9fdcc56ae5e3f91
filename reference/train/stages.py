"""The stages of training, one after the other."""

from curriculum import Stage, documents_stage, mixture
from network import FACTOR, POSITIONS


def mixture_stage(length: int, steps: int, tokens: int, rate: float, last_rate: float, factor: float, positions: int = 0) -> Stage:
    name = f"mixture of {length} tokens, {tokens} a step{f', over {positions} positions' if positions else ''}, factor {factor:g}"
    return Stage(name, lambda rng, tokenizer: mixture(length, rng, tokenizer), tokens, 2.0, steps, factor, positions, rate, last_rate)


STAGES: list[Stage] = [
    *[documents_stage(count, 1, 0.93, steps) for count, steps in ((4, 400), (7, 200), (12, 150), (20, 150))],
    mixture_stage(2048, 250, 2048, 1.0, 1.0, 1.0),
    mixture_stage(4096, 40, 4096, 1.0, 1.0, 1.0),
    mixture_stage(2048, 780, 2048, 1.0, 1.0, FACTOR, POSITIONS),
    mixture_stage(2048, 450, 6144, 0.5, 0.3, FACTOR, POSITIONS),
    mixture_stage(4096, 180, 8192, 0.3, 0.2, FACTOR, POSITIONS),
    mixture_stage(8192, 50, 8192, 0.2, 0.15, FACTOR, POSITIONS),
    mixture_stage(16384, 14, 16384, 0.15, 0.1, FACTOR, POSITIONS),
    mixture_stage(32768, 6, 32768, 0.1, 0.05, FACTOR),
]
