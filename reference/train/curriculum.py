"""What is learned when, and from what. Every step of a stage makes sequences of tokens with a
weight for each in the loss.

Trained on documents at once, a small model learns of what kind an answer is, and then chooses a
document at random for thousands of steps: it lacks the circuit that binds a name to what is said
behind it. It begins with one (`induction.py`); then come documents, more and more of them; then
everything else, and at last long contexts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import sentencepiece as spm
from conversation import ANSWER, END, EOS, NEWLINE, PROMPT, REPLY, Conversation, encode
from documents import (
    MOST_DOCUMENTS,
    TOKENS_OF_DOCUMENT,
    TOKENS_OF_SENTENCE,
    TOKENS_OF_TURN,
    Size,
    conversation_about,
)
from foreign import foreign
from instructions import INSTRUCTIONS, Kind
from small_talk import small_talk
from stories import story

Sequence = tuple[list[int], list[int], list[float]]
"""Tokens, what is to be predicted in the place of each, and what that weighs in the loss."""

WEIGHTS = {PROMPT: 0.05, REPLY: 0.25, ANSWER: 1.0, END: 0.25}
"""In a prompt names and values are random, and cannot be predicted. Most of a reply repeats the
question; what must be found is the rest."""


def weighted(
    conversation: Conversation,
    tokenizer: spm.SentencePieceProcessor,
    prompt_weight: float = WEIGHTS[PROMPT],
) -> Sequence:
    ids, kinds = encode(conversation, tokenizer)
    wanted = [EOS if kind == END else token for token, kind in zip(ids, kinds)]
    return ids, wanted, [prompt_weight if kind == PROMPT else WEIGHTS[kind] for kind in kinds]


@dataclass(frozen=True)
class Batch:
    sequences: list[Sequence]
    document_tokens: int = 0
    """At the beginning, that are read apart (`attention.py`)."""


Step = Callable[[Random, spm.SentencePieceProcessor], list[Batch]]

EARLY = 1.35
"""Of long documents a fifth of the questions is about the first eighth, which is the hardest: the
pairs of dimensions that compare names have turned farthest there. With 1.7 short texts suffered."""


@dataclass(frozen=True)
class Stage:
    name: str
    step: Step
    most_steps: int
    factor: float
    positions: int
    """Over which a sequence is spread, in pieces with gaps between them: every distance is met at
    the price of a short sequence (PoSE, Zhu et al. 2023, arXiv:2309.10400)."""
    rate: float = 1.0
    """Of the learning rate at the first step …"""
    last_rate: float = 1.0
    """… and at the last."""
    goal: float = math.inf
    """Left sooner when so large a part of the tokens of weight 1 is right, as a running mean."""


def some_documents(count: int, tokens: int) -> Step:
    """About `tokens` tokens of questions about up to `count` documents."""

    def step(rng: Random, tokenizer: spm.SentencePieceProcessor) -> list[Batch]:
        def sequence() -> Sequence:
            fewer = rng.randrange(max(2, count // 2), count + 1)
            return weighted(
                conversation_about(Size(fewer, fillers=1, facts=3), "train", rng), tokenizer
            )

        sequences = [sequence()]
        while (len(sequences) + 1) * max(len(ids) for ids, _, _ in sequences) <= tokens:
            sequences.append(sequence())
        return [Batch(sequences)]

    return step


def everything(
    length: int, rows: int, turns: tuple[int, ...], drilled: tuple[Kind, ...] = ()
) -> Step:
    """The card's mixture: of the examples half are instructions, a quarter stories, a quarter
    documents, one after the other in rows of `length` tokens, whose last is cut off. `turns`: how
    many instructions follow each other in an example, each as often. `drilled`: kinds of
    instructions that come more often, once more for each time that they are named."""

    def step(rng: Random, tokenizer: spm.SentencePieceProcessor) -> list[Batch]:
        return [
            Batch(
                [
                    packed(lambda: example(length, turns, drilled, rng), length, tokenizer)
                    for _ in range(rows)
                ]
            )
        ]

    return step


def long_documents(shortest: int, longest: int, beside: Step) -> Step:
    """Questions about documents of so many tokens, and a step of everything `beside` it."""

    def step(rng: Random, tokenizer: spm.SentencePieceProcessor) -> list[Batch]:
        length = round(math.exp(rng.uniform(math.log(shortest), math.log(longest))))
        documents = weighted(
            documents_of(length, LONG_QUESTIONS, rng, EARLY), tokenizer, prompt_weight=0.0
        )
        first_reply = next(i for i, weight in enumerate(documents[2]) if weight > 0)
        return [Batch([documents], first_reply - QUESTION_TOKENS), *beside(rng, tokenizer)]

    return step


LONG_QUESTIONS = 48
QUESTION_TOKENS = 48
"""At most."""


def packed(
    make: Callable[[], Conversation], length: int, tokenizer: spm.SentencePieceProcessor
) -> Sequence:
    ids: list[int] = []
    wanted: list[int] = []
    weights: list[float] = []
    while len(ids) < length:
        more = weighted(make(), tokenizer)
        ids, wanted, weights = ids + more[0], wanted + more[1], weights + more[2]
    return ids[:length], wanted[:length], weights[:length]


def example(
    length: int, turns: tuple[int, ...], drilled: tuple[Kind, ...], rng: Random
) -> Conversation:
    [kind] = rng.choices(range(3), (2, 1, 1))
    if kind == 0:
        return short_turns(rng.choice(turns), drilled, rng)
    if kind == 1:
        scenes = rng.randrange(2, 13)
        most = min(15.0, max(0, length - 30 * scenes) / scenes / TOKENS_OF_SENTENCE)
        return story(scenes, round(most * rng.random() ** 2), "train", rng)
    return documents_of(rng.randrange(length // 4, length), 16, rng)


def short_turns(count: int, drilled: tuple[Kind, ...], rng: Random) -> Conversation:
    """Of nine turns or so one is small talk and one is foreign."""
    others = rng.choices([small_talk, foreign, None], (1, 1, 7), k=count)
    kinds = [other or rng.choice([*INSTRUCTIONS, *drilled]) for other in others]
    return [turn for kind in kinds for turn in kind("train", rng)]


def documents_of(length: int, questions: int, rng: Random, early: float = 1.0) -> Conversation:
    """Of about `length` tokens with `questions` questions about them."""
    tokens = length - TOKENS_OF_TURN * questions
    facts = rng.randrange(2, 6)
    fewest = max(
        1, math.ceil((tokens / MOST_DOCUMENTS - TOKENS_OF_DOCUMENT) / TOKENS_OF_SENTENCE) - facts
    )
    fillers = rng.randrange(fewest, max(16, fewest + 1))
    count = round(tokens / (TOKENS_OF_DOCUMENT + TOKENS_OF_SENTENCE * (facts + fillers)))
    size = Size(max(2, count), facts, fillers, questions, early)
    return conversation_about(size, "train", rng)


def spread(ids: list[int], most: int, rng: Random) -> list[int]:
    """Positions of tokens: up to nine pieces, each of whole lines, with gaps between them that add
    up to at most `most` − `len(ids)`."""
    if len(ids) >= most:
        return list(range(len(ids)))
    lines = [i + 1 for i, token in enumerate(ids) if token == NEWLINE]
    cuts = min(rng.randrange(1, 9), len(lines))
    gap = rng.randrange(most - len(ids) + 1)
    starts = sorted(rng.choice(lines) for _ in range(cuts))
    gaps = sorted(rng.randrange(gap + 1) for _ in range(cuts))
    positions, piece = [], 0
    for i in range(len(ids)):
        while piece < cuts and starts[piece] <= i:
            piece += 1
        positions.append(i + (gaps[piece - 1] if piece > 0 else 0))
    return positions
