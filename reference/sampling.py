"""Hugging Face's logits processors on small inputs: what they make of logits, in which order;
and OpenAI's two penalties, which it lacks, by their formula."""

import math

import numpy as np
import torch
from models import EOS, VOCAB, random_tokens
from transformers import GenerationConfig, LlamaForCausalLM

# What generate() takes for "leave this step out". (Not the defaults: top_k would be 50.)
OFF = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": None, "repetition_penalty": 1.0}
CARD = {"temperature": 0.7, "repetition_penalty": 1.1, "top_p": 0.7, "top_k": 50}
INF = math.inf


def random_logits(seed: int, count: int) -> list[float]:
    """Normal with standard deviation 3, on a grid of 1/256 so that they are short to write down."""
    draw = np.random.Generator(np.random.PCG64(seed))
    return (np.round(draw.standard_normal(count) * 3 * 256) / 256).tolist()


def logarithms(*probabilities: float) -> list[float]:
    return [math.log(p) for p in probabilities]


def cases() -> list[tuple[str, list[float], list[int], dict]]:
    """(name, logits, previous token ids with BOS = 1, parameters). A parameter that is absent is
    off."""
    three, five, six = (
        [3.0, 2.0, 1.0],
        [0.5, -1.5, 2.25, -0.75, 1.0],
        [1.0, 3.0, -2.0, 3.0, 0.0, 3.0],
    )
    large, other = random_logits(1, VOCAB), random_logits(2, VOCAB)
    ids = random_tokens(3, 19).tolist()
    listed = [
        ("nothing on", five, [1], {}),
        ("one token", [-4.0], [0], CARD),
        # Repetition penalty: positive logits are divided, negative ones multiplied, each id once.
        ("penalty divides a positive logit", five, [2], {"repetition_penalty": 1.1}),
        ("penalty multiplies a negative logit", five, [3], {"repetition_penalty": 1.1}),
        (
            "penalty counts an id once however often it came",
            five,
            [2, 2, 3, 2, 3, 2],
            {"repetition_penalty": 1.5},
        ),
        ("penalty reaches BOS in the prompt", five, [1, 4], {"repetition_penalty": 1.3}),
        ("penalty below 1 rewards", five, [1, 2], {"repetition_penalty": 0.8}),
        ("penalty leaves zero alone", six, [4], {"repetition_penalty": 2.0}),
        (
            "penalty leaves negative zero alone",
            [-0.0, 0.0, 1.0],
            [0, 1],
            {"repetition_penalty": 2.0},
        ),
        ("penalty on minus infinity", [-INF, 1.0, 2.0], [0, 2], {"repetition_penalty": 1.1}),
        ("penalty on every id", three, [0, 1, 2], {"repetition_penalty": 1.2}),
        ("penalty changes the best", [2.0, 1.9, 0.0], [1, 0, 0], {"repetition_penalty": 1.1}),
        ("penalty, large vocabulary", large, ids, {"repetition_penalty": 1.1}),
        # Temperature.
        *((f"temperature {t}", five, [1], {"temperature": t}) for t in (0.1, 0.7, 2.0)),
        ("temperature with minus infinity", [-INF, 0.5, -0.5], [1], {"temperature": 0.7}),
        ("temperature, equal logits", [1.5] * 5, [1], {"temperature": 0.1}),
        # Top-k: whatever equals the k-th score stays.
        *((f"top_k {k} of five", five, [1], {"top_k": k}) for k in (1, 2, 4, 5, 6)),
        ("top_k larger than the vocabulary", three, [1], {"top_k": 50}),
        ("top_k keeps ties at its border: 1", six, [1], {"top_k": 1}),
        ("top_k keeps ties at its border: 2", six, [1], {"top_k": 2}),
        ("top_k with ties inside its border", six, [1], {"top_k": 4}),
        ("top_k, equal logits", [0.25] * 6, [1], {"top_k": 2}),
        (
            "top_k with minus infinity at its border",
            [1.0, -INF, 2.0, -INF, -INF],
            [1],
            {"top_k": 3},
        ),
        ("top_k, large vocabulary", large, [1], {"top_k": 50}),
        # Top-p: the token that crosses the threshold stays.
        ("top_p keeps the crossing token", logarithms(0.5, 0.28, 0.22), [1], {"top_p": 0.6}),
        ("top_p just short of all", logarithms(0.5, 0.28, 0.22), [1], {"top_p": 0.79}),
        ("top_p 0.5 exactly at a cumulative sum", [1.0, 1.0], [1], {"top_p": 0.5}),
        ("top_p 0.75 exactly at a cumulative sum", [2.0] * 4, [1], {"top_p": 0.75}),
        ("top_p 0.5 exactly, equal logits", [0.0] * 4, [1], {"top_p": 0.5}),
        ("top_p 0.25 exactly: one of four equals", [0.0] * 4, [1], {"top_p": 0.25}),
        ("top_p a little above a cumulative sum", [0.0] * 4, [1], {"top_p": 0.5001}),
        ("top_p 0 keeps the best", five, [1], {"top_p": 0.0}),
        ("top_p very small", five, [1], {"top_p": 1e-6}),
        ("top_p very near 1", five, [1], {"top_p": 0.999999}),
        ("top_p 0 with equal bests", six, [1], {"top_p": 0.0}),
        ("top_p with a tie at its border", six, [1], {"top_p": 0.4}),
        ("top_p in no order", [-1.0, 2.0, 0.0, 3.0, 1.0], [1], {"top_p": 0.9}),
        ("top_p with minus infinity", [-INF, 1.0, 0.0, -INF, 2.0], [1], {"top_p": 0.9}),
        ("top_p, one token certain", [0.0, 50.0, 0.0], [1], {"top_p": 0.9}),
        ("top_p, large vocabulary", large, [1], {"top_p": 0.7}),
        # Min-p: relative to the best probability.
        *((f"min_p {p}", five, [1], {"min_p": p}) for p in (0.0, 0.05, 0.2, 1.0)),
        ("min_p exactly at its border", [1.0, 1.0, 0.0], [1], {"min_p": 1.0}),
        ("min_p with minus infinity", [-INF, 1.0, 0.0, -3.0, 2.0], [1], {"min_p": 0.1}),
        ("min_p, large vocabulary", large, [1], {"min_p": 0.05}),
        # Together: penalty, temperature, top_k, top_p, min_p, each on what the one before left.
        ("temperature before top_p", three, [0], {"temperature": 0.5, "top_p": 0.8}),
        ("a high temperature before top_p", three, [0], {"temperature": 2.0, "top_p": 0.8}),
        (
            "top_k before top_p: the nucleus is of what top_k left",
            [2.0, 1.5, 1.0, 0.5, 0.0],
            [0],
            {"top_k": 3, "top_p": 0.6},
        ),
        ("top_k with ties, then top_p", six, [0], {"top_k": 2, "top_p": 0.5}),
        (
            "penalty before temperature",
            five,
            [2, 4, 2],
            {"repetition_penalty": 1.3, "temperature": 0.5},
        ),
        ("penalty before top_k", five, [2, 4, 2], {"repetition_penalty": 3.0, "top_k": 2}),
        ("penalty before top_p", five, [2, 4, 2], {"repetition_penalty": 2.0, "top_p": 0.7}),
        ("temperature before min_p", five, [1], {"temperature": 2.0, "min_p": 0.3}),
        ("top_p before min_p", five, [1], {"top_p": 0.9, "min_p": 0.3}),
        ("top_k before min_p", six, [1], {"top_k": 4, "min_p": 0.1}),
        ("everything, five", five, [1, 2, 2], {**CARD, "top_k": 3, "min_p": 0.1}),
        ("everything, six with ties", six, [1, 3], {**CARD, "top_k": 2, "min_p": 0.05}),
        ("the card's parameters, three", three, [1], CARD),
        ("the card's parameters, five", five, [1, 2], CARD),
        ("the card's parameters, large vocabulary", large, ids, CARD),
        ("the card's parameters, another large vocabulary", other, ids, CARD),
        ("everything, large vocabulary", other, ids, {**CARD, "min_p": 0.05}),
        ("a wide nucleus, large vocabulary", other, ids, {"temperature": 2.0, "top_p": 0.95}),
        (
            "the card's parameters without do_sample: greedy, only the penalty is left",
            five,
            [1, 2],
            {**CARD, "do_sample": False},
        ),
        ("without do_sample, large vocabulary", other, ids, {**CARD, "do_sample": False}),
    ]
    # Small vocabularies with a short tail find wrong nuclei that large ones hide.
    for count in (3, 5, 6):
        for seed in (1, 2, 3):
            listed.append(
                (
                    f"random {count}, {seed}",
                    random_logits(100 * count + seed, count),
                    [seed % count],
                    {"temperature": 2.0, "top_p": 0.6 + 0.1 * seed},
                )
            )
    return listed


def bans() -> list[tuple[str, list[float], list[int], dict, int]]:
    """As `cases`, and how many of the previous ids are the prompt's."""
    five, large = [0.5, -1.5, 2.25, -0.75, 1.0], random_logits(4, VOCAB)
    ids = random_tokens(5, 60).tolist()
    said = [3, 4, 3, 1, 3, 4]
    everything = {
        **CARD,
        "min_p": 0.01,
        "typical_p": 0.9,
        "sequence_bias": [[[ids[0]], 2.5], [[ids[1]], -4.0]],
        "no_repeat_ngram_size": 2,
        "bad_words_ids": [[ids[3]], [ids[-1], 7]],
        "min_new_tokens": 50,
    }
    cut = ids[:30] + [ids[2]]
    listed = [
        ("sequence_bias of one token", five, [1], {"sequence_bias": [[[2], -3.1]]}, 1),
        ("sequence_bias of several", five, [1], {"sequence_bias": [[[0], 0.7], [[4], -0.1]]}, 1),
        (
            "sequence_bias before the penalty",
            five,
            [1, 3],
            {"sequence_bias": [[[3], 1.5]], "repetition_penalty": 1.3},
            2,
        ),
        *(
            (f"no_repeat_ngram_size {n}", five, said, {"no_repeat_ngram_size": n}, 2)
            for n in (1, 2, 3, 4, 6, 7)
        ),
        ("no_repeat_ngram_size, overlapping", five, [2, 2, 2], {"no_repeat_ngram_size": 3}, 1),
        ("no_repeat_ngram_size, large", large, ids + ids[:9], {"no_repeat_ngram_size": 4}, 60),
        ("bad_words_ids of one token", five, [1], {"bad_words_ids": [[2], [0]]}, 1),
        ("bad_words_ids of two, begun", five, [1, 3], {"bad_words_ids": [[3, 4]]}, 1),
        ("bad_words_ids of two, not begun", five, [3, 1], {"bad_words_ids": [[3, 4]]}, 1),
        ("bad_words_ids longer than the text", five, [3], {"bad_words_ids": [[1, 3, 4]]}, 1),
        ("bad_words_ids as long as it can be", five, [1, 3], {"bad_words_ids": [[1, 3, 4]]}, 1),
        ("bad_words_ids that is the end", five, [1], {"bad_words_ids": [[2], [EOS]]}, 1),
        (
            "bad_words_ids after n-grams",
            five,
            [0, 0],
            {"bad_words_ids": [[0, 4]], "no_repeat_ngram_size": 1},
            1,
        ),
        ("min_length not reached", five, [1, 3], {"min_length": 3}, 1),
        ("min_length reached", five, [1, 3, 3], {"min_length": 3}, 1),
        ("min_new_tokens not reached", five, [1, 3, 3], {"min_new_tokens": 3}, 1),
        ("min_new_tokens reached", five, [1, 3, 3], {"min_new_tokens": 2}, 1),
        *((f"typical_p {p}", five, [1], {"typical_p": p}, 1) for p in (0.01, 0.2, 0.5, 0.9, 0.99)),
        ("typical_p drops the best", logarithms(0.9, 0.05, 0.05), [1], {"typical_p": 0.05}, 1),
        ("typical_p with equal logits", [1.0, 1.0, 0.0, 0.0], [1], {"typical_p": 0.3}, 1),
        ("typical_p with minus infinity", [-INF, 1.0, 0.0, -INF, 2.0], [1], {"typical_p": 0.5}, 1),
        ("typical_p after top_k", five, [1], {"typical_p": 0.6, "top_k": 3}, 1),
        ("typical_p after min_p", five, [1], {"typical_p": 0.6, "min_p": 0.1}, 1),
        ("typical_p, large vocabulary", large, [1], {"typical_p": 0.3}, 1),
        ("all of transformers, large vocabulary", large, cut, everything, 20),
        ("all without do_sample", large, cut, {**everything, "do_sample": False}, 20),
    ]
    for count in (3, 5, 6):
        for seed in (4, 5, 6):
            listed.append(
                (
                    f"typical_p, random {count}, {seed}",
                    random_logits(100 * count + seed, count),
                    [1],
                    {"temperature": 2.0, "typical_p": 0.2 * (seed - 3)},
                    1,
                )
            )
    return listed


def openai() -> list[dict]:
    """OpenAI, API reference: logit − count · frequency − [count > 0] · presence, counted in the
    output as vLLM does it; each step in float32."""
    logits = np.float32(random_logits(6, 9))
    listed = []
    for output, frequency, presence in (
        ([], 0.5, 0.5),
        ([3], 0.7, 0.0),
        ([3, 3, 8, 3, 0], 0.7, 0.0),
        ([3, 3, 8, 3, 0], 0.0, 1.3),
        ([3, 3, 8, 3, 0], 0.7, 1.3),
        ([5, 5, 5, 5, 5, 5, 5], -0.1, -2.0),
    ):
        counts = np.bincount(output, minlength=len(logits)).astype(np.float32)
        scores = logits - np.float32(frequency) * counts - np.float32(presence) * (counts > 0)
        listed.append(
            {
                "logits": logits.tolist(),
                "prompt": [1, 4, 4],
                "output": output,
                "frequency": frequency,
                "presence": presence,
                "scores": scores.astype(np.float32).tolist(),
            }
        )
    return listed


def processors(network: LlamaForCausalLM, length: int, parameters: dict, prompt: int = 0):
    """The list of processors that generate() itself builds, by the method it calls."""
    config = GenerationConfig(**{"do_sample": True, **OFF, **parameters})
    # What generate() makes of them before it builds the list.
    config._eos_token_tensor = torch.tensor([EOS])
    if config.min_new_tokens is not None:
        config.min_length = config.min_new_tokens + prompt
    return network._get_logits_processor(
        config,
        input_ids_seq_length=prompt,
        model_kwargs={"attention_mask": torch.ones(1, length, dtype=torch.long)},
    )


def names(steps) -> list[str]:
    return [type(step).__name__ for step in steps]


def numbers(row: torch.Tensor) -> list[float | None]:
    """Exact decimals of float32 values; JSON has no infinity, so −∞ is null."""
    return [None if value == -INF else value for value in row.tolist()]


def sampling(network: LlamaForCausalLM) -> dict:
    """All of sampling.json. Scores and probabilities are float32, as generate() hands them to
    multinomial."""
    listed = []
    filters = [(*case, len(case[2])) for case in cases()]
    for name, logits, previous, parameters, prompt in filters + bans():
        steps = processors(network, len(previous), parameters, prompt)
        row = torch.tensor([logits], dtype=torch.float32)
        scores = steps(torch.tensor([previous]), row)
        listed.append(
            {
                "name": name,
                "logits": numbers(row[0]),
                "previous": previous,
                **({} if prompt == len(previous) else {"prompt": prompt}),
                "parameters": parameters,
                "processors": names(steps),
                "scores": numbers(scores[0]),
                "probabilities": numbers(scores.softmax(-1)[0]),
            }
        )
    full = next(case[3] for case in bans() if case[0] == "all without do_sample")
    return {
        "order": {
            "do_sample": names(processors(network, 1, {**full, "do_sample": True})),
            "no do_sample": names(processors(network, 1, {**full, "do_sample": False})),
        },
        "openai": openai(),
        "cases": listed,
    }
