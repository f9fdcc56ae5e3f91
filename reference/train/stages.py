"""The stages of training, one after the other."""

from curriculum import Stage, documents_stage, mixture, pairs, words
from network import FACTOR, POSITIONS


def mixture_stage(length: int, steps: int, tokens: int, rate: float, last_rate: float, factor: float, positions: int = 0) -> Stage:
    name = f"mixture of {length} tokens{f' over {positions} positions' if positions else ''}, factor {factor:g}"
    return Stage(name, lambda rng, tokenizer: mixture(length, rng, tokenizer), tokens, 2.0, steps, factor, positions, rate, last_rate)


STAGES: list[Stage] = [
    Stage("words", lambda rng, _: words(256, rng), 4096, 0.93, 4000),
    Stage("pairs 0 apart", lambda rng, _: pairs(16, 0, rng), 4096, 0.93, 1000),
    *[Stage(f"pairs {apart} apart", lambda rng, _, apart=apart: pairs(16, apart, rng), 4096, 0.93, 525) for apart in range(1, 4)],
    *[documents_stage(count, 1, 0.93, 1500) for count in (2, 4, 7, 12, 20)],
    *[documents_stage(count, 4, 0.93, 800) for count in (12, 20, 33)],
    mixture_stage(4096, 800, 4096, 0.7, 0.5, 1.0),
    mixture_stage(4096, 600, 4096, 0.5, 0.4, FACTOR, POSITIONS),
    mixture_stage(8192, 120, 8192, 0.4, 0.3, FACTOR, POSITIONS),
    mixture_stage(16384, 40, 16384, 0.3, 0.2, FACTOR, POSITIONS),
    mixture_stage(32768, 24, 32768, 0.2, 0.05, FACTOR),
]
