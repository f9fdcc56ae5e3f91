"""Greedy continuations by generate(), from prompts where no step is nearly a tie."""

import torch
from models import EOS, random_tokens
from transformers import LlamaForCausalLM

OPTIONS = [
    {"do_sample": False, "max_new_tokens": 64},
    {"do_sample": False, "max_new_tokens": 64, "repetition_penalty": 1.1},
    # The model card's call. Without do_sample it is greedy, and of the four numbers only the
    # penalty does anything.
    {"max_length": 128, "temperature": 0.7, "repetition_penalty": 1.1, "top_p": 0.7, "top_k": 50},
]
PROMPT_LENGTHS = [2, 8, 19]
SMALLEST_MARGIN = 1e-3


def continuation(network: LlamaForCausalLM, prompt: torch.Tensor, options: dict) -> dict:
    """One generate() call. `tokens` are the new ones only.

    `min_margin` is the smallest distance, over all steps, between the two best scores after the
    processors, in standard deviations of that step's scores: another engine's rounding must stay
    far below it.
    """
    output = network.generate(
        prompt[None],
        attention_mask=torch.ones_like(prompt[None]),
        output_scores=True,
        return_dict_in_generate=True,
        **options
    )
    scores = torch.stack(output.scores)[:, 0]
    best, second = scores.topk(2).values.unbind(1)
    tokens = output.sequences[0, len(prompt) :].tolist()
    return {
        "prompt": prompt.tolist(),
        "options": options,
        "tokens": tokens,
        "stopped_at_eos": tokens[-1] == EOS,
        "min_margin": ((best - second) / scores.std(1)).min().item(),
    }


def continuations(network: LlamaForCausalLM, seed: int) -> list[dict]:
    """Every option for one prompt of every length; each prompt is the first random one with clear
    margins and no EOS."""
    cases = []
    for length in PROMPT_LENGTHS:
        while True:
            seed += 1
            prompt = random_tokens(seed, length)
            found = [continuation(network, prompt, options) for options in OPTIONS]
            if all(
                case["min_margin"] > SMALLEST_MARGIN and not case["stopped_at_eos"]
                for case in found
            ):
                cases += found
                break
    return cases
