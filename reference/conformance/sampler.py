"""What the logits processors of transformers leave of a few logits, as probabilities."""

import torch
from conformance.pack import Pack
from models import write_cases
from sampling import CARD, INF, logarithms, names, numbers, processors
from transformers import LlamaForCausalLM

NAME = "sampler.json"
THREE, FIVE, SIX = [3.0, 2.0, 1.0], [2.0, -1.0, 0.5, -2.0, 1.0], [1.0, 3.0, -2.0, 3.0, 0.0, 3.0]
# Whose probabilities are 0.5, 0.28, 0.22; and 0.4, 0.3, 0.2, 0.1.
CROSSING, TENTHS = logarithms(0.5, 0.28, 0.22), logarithms(0.4, 0.3, 0.2, 0.1)


def cases() -> list[tuple[str, list[float], list[int], dict]]:
    """(What it shows, logits, previous ids, parameters.)"""
    return [
        ("softmax alone", TENTHS, [], {}),
        ("temperature 0.5 squares the odds", TENTHS, [], {"temperature": 0.5}),
        ("temperature 2 takes their root", TENTHS, [], {"temperature": 2.0}),
        ("a very low temperature is greedy", THREE, [], {"temperature": 0.01}),
        ("top_k 1 keeps the best", FIVE, [], {"top_k": 1}),
        ("top_k 2", FIVE, [], {"top_k": 2}),
        ("top_k as large as the vocabulary", THREE, [], {"top_k": 3}),
        ("top_k larger than the vocabulary", THREE, [], {"top_k": 50}),
        ("top_k 0 is off", THREE, [], {"top_k": 0}),
        ("top_k keeps whatever equals its last", SIX, [], {"top_k": 2}),
        ("top_p keeps the token that crosses: 0.5 and 0.28", CROSSING, [], {"top_p": 0.6}),
        ("top_p below the best keeps the best", CROSSING, [], {"top_p": 0.3}),
        ("top_p just short of all", CROSSING, [], {"top_p": 0.79}),
        ("top_p 1 is off", CROSSING, [], {"top_p": 1.0}),
        ("top_p of logits in no order", [-1.0, 2.0, 0.0, 3.0, 1.0], [], {"top_p": 0.9}),
        ("top_p 0 keeps the best", FIVE, [], {"top_p": 0.0}),
        ("a penalty divides a positive logit", FIVE, [0], {"repetition_penalty": 2.0}),
        ("a penalty multiplies a negative logit", FIVE, [1], {"repetition_penalty": 2.0}),
        ("a penalty counts an id once", FIVE, [0, 0, 1, 0], {"repetition_penalty": 2.0}),
        ("a penalty leaves 0 alone", SIX, [4], {"repetition_penalty": 2.0}),
        ("a penalty of 1 is off", FIVE, [0, 1], {"repetition_penalty": 1.0}),
        ("a penalty below 1 rewards", FIVE, [0, 1], {"repetition_penalty": 0.5}),
        ("min_p is relative to the best: 0.45 · 0.4", TENTHS, [], {"min_p": 0.45}),
        ("minus infinity stays impossible", [-INF, 1.0, 2.0], [], {"temperature": 0.7}),
        # Which comes first.
        (
            "temperature before top_p: one token, which at temperature 1 would be two",
            THREE,
            [],
            {"temperature": 0.5, "top_p": 0.8},
        ),
        (
            "penalty before temperature",
            FIVE,
            [0, 4],
            {"repetition_penalty": 2.0, "temperature": 0.5},
        ),
        ("penalty before top_k", FIVE, [0], {"repetition_penalty": 4.0, "top_k": 2}),
        ("top_k before top_p", TENTHS, [], {"top_k": 2, "top_p": 0.5}),
        ("all of the model's card", FIVE, [0, 2, 2], CARD),
        ("all of the model's card, with ties", SIX, [1, 1, 4], CARD),
    ]


def add_sampler(pack: Pack, network: LlamaForCausalLM) -> None:
    """Computed in float64, so that a hand finds the same numbers."""
    listed = []
    for name, logits, previous, parameters in cases():
        steps = processors(network, len(previous), parameters, len(previous))
        row = torch.tensor([logits], dtype=torch.float64)
        scores = steps(torch.tensor([previous], dtype=torch.int64), row)
        listed.append(
            {
                "name": name,
                "logits": numbers(row[0]),
                "previous": previous,
                "parameters": parameters,
                "processors": names(steps),
                "probabilities": scores.softmax(-1)[0].tolist(),
            }
        )
    note = "null is minus infinity; what parameters do not name is off; processors in their order"
    write_cases(pack.path(NAME), listed, note=note)
    what = "logits, previous ids, parameters, and the probabilities that are left"
    pack.add(NAME, what, "transformers: the list of logits processors that generate() builds")
