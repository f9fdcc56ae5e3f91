"""The stages of training, one after the other."""

from curriculum import Stage, documents_stage, mixture
from network import FACTOR, POSITIONS


def mixture_stage(length: int, steps: int, tokens: int, rate: float, last_rate: float, factor: float, positions: int = 0) -> Stage:
    name = f"mixture of {length} tokens{f' over {positions} positions' if positions else ''}, factor {factor:g}"
    return Stage(name, lambda rng, tokenizer: mixture(length, rng, tokenizer), tokens, 2.0, steps, factor, positions, rate, last_rate)


STAGES: list[Stage] = [
    *[documents_stage(count, 1, 0.93, 500) for count in (4, 7, 12, 20)],
    mixture_stage(2048, 250, 2048, 1.0, 1.0, 1.0),
    mixture_stage(4096, 60, 4096, 1.0, 1.0, 1.0),
    mixture_stage(2048, 1000, 2048, 1.0, 1.0, FACTOR, POSITIONS),
    mixture_stage(4096, 250, 4096, 1.0, 0.7, FACTOR, POSITIONS),
    mixture_stage(8192, 100, 8192, 0.6, 0.4, FACTOR, POSITIONS),
    mixture_stage(16384, 25, 16384, 0.4, 0.3, FACTOR, POSITIONS),
    mixture_stage(32768, 10, 32768, 0.3, 0.1, FACTOR),
]
