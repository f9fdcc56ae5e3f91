"""What is learned when, and from what. Every stage makes sequences of tokens with a weight for each in the loss.

Trained on documents at once, a small model learns of what kind an answer is, and then chooses a document at random for thousands of steps: it lacks the
circuit that binds a name to what is said behind it. It begins with one (`induction.py`); then come documents, half again as many whenever they are
mastered; then everything else, and at last long contexts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import sentencepiece as spm
from conversation import ANSWER, END, EOS, PROMPT, REPLY, Conversation, encode
from documents import Size, conversation_about
from instructions import instruction
from stories import story

Sequence = tuple[list[int], list[int], list[float]]
"""Tokens, what is to be predicted in the place of each, and what that weighs in the loss."""

WEIGHTS = {PROMPT: 0.05, REPLY: 0.25, ANSWER: 1.0, END: 0.25}
"""In a prompt names and values are random, and cannot be predicted. Most of a reply repeats the question; what must be found is the rest."""


def weighted(conversation: Conversation, tokenizer: spm.SentencePieceProcessor) -> Sequence:
    ids, kinds = encode(conversation, tokenizer)
    wanted = [EOS if kind == END else token for token, kind in zip(ids, kinds)]
    return ids, wanted, [WEIGHTS[kind] for kind in kinds]


@dataclass(frozen=True)
class Stage:
    name: str
    make: Callable[[Random, spm.SentencePieceProcessor], Sequence]
    tokens: int
    """In a step, about."""
    goal: float
    """Left when so large a part of the tokens of weight 1 is right, as a running mean …"""
    most_steps: int
    """… or after so many steps."""
    factor: float = 1.0
    positions: int = 0
    """If longer than a sequence, the sequence is spread over so many positions, in pieces with gaps between them: every distance is met at the price of a
    short sequence (PoSE, Zhu et al. 2023, arXiv:2309.10400)."""
    rate: float = 1.0
    """Of the learning rate at the first step …"""
    last_rate: float | None = None
    """… and at the last, if it is another."""


def documents_stage(count: int, fillers: int, goal: float, most_steps: int, **more: float) -> Stage:
    def make(rng: Random, tokenizer: spm.SentencePieceProcessor) -> Sequence:
        fewer = rng.randrange(max(2, count // 2), count + 1)
        return weighted(conversation_about(Size(fewer, fillers=fillers, facts=3), "train", rng), tokenizer)

    return Stage(f"{count} documents, {fillers} sentences besides", make, 2048, goal, most_steps, **more)


def mixture(length: int, shares: tuple[int, int, int], rng: Random, tokenizer: spm.SentencePieceProcessor) -> Sequence:
    """About `length` tokens of one kind of task: many instructions, one story, or many questions about one set of documents. `shares`: how often each kind."""
    [kind] = rng.choices(range(3), shares)
    if kind == 0:
        packed: Sequence = ([], [], [])
        while len(packed[0]) < min(length, 2048):
            more = weighted(instruction("train", rng), tokenizer)
            packed = (packed[0] + more[0], packed[1] + more[1], packed[2] + more[2])
        return packed
    if kind == 1:
        scenes = rng.randrange(2, 13)
        fillers = max(1, round((length - 80 * scenes) / scenes / 11 * rng.uniform(0.2, 1)))
        return weighted(story(scenes, min(fillers, 400), "train", rng), tokenizer)
    size = Size(*_size_for(length, rng), questions=_questions(length))
    return weighted(conversation_about(size, "train", rng), tokenizer)


def _size_for(length: int, rng: Random) -> tuple[int, int, int]:
    """Documents, facts and other sentences of a conversation of up to `length` tokens."""
    facts = rng.randrange(2, 6)
    fillers = rng.randrange(1, 12)
    each = 12 + 11 * (facts + fillers)
    most = max(2, min(200, (length - 45 * _questions(length)) // each))
    return rng.randrange(max(2, most // 2), most + 1), facts, fillers


def _questions(length: int) -> int:
    """Many, since what they are about is what costs time."""
    return max(16, min(128, length // 64))


def spread(length: int, most: int, rng: Random) -> list[int]:
    """Positions of `length` tokens: up to nine pieces, with gaps between them that add up to at most `most` − `length`."""
    if length >= most:
        return list(range(length))
    cuts = rng.randrange(1, 9)
    gap = rng.randrange(most - length + 1)
    starts = sorted(rng.randrange(length) for _ in range(cuts))
    gaps = sorted(rng.randrange(gap + 1) for _ in range(cuts))
    positions, piece = [], 0
    for i in range(length):
        while piece < cuts and starts[piece] <= i:
            piece += 1
        positions.append(i + (gaps[piece - 1] if piece > 0 else 0))
    return positions
