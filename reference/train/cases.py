"""The held-out cases that a model is judged by, the same for every model and every engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from conversation import Conversation, Turn, prompt_of
from documents import (
    MOST_DOCUMENTS,
    TOKENS_OF_DOCUMENT,
    TOKENS_OF_SENTENCE,
    Size,
    conversation_about,
)
from instructions import INSTRUCTIONS, Kind
from small_talk import EXAMPLES
from stories import story
from world import Split

SEED = 4096
FACTS = 4
DOCUMENT_TOKENS = 150
DEPTHS = 10
SHOWN = {
    "Write these words in reverse order: honey, hamster, melons, printer.": (
        "In reverse order they are printer, melons, hamster, honey."
    ),
    "What are the opposites of loud and clean?": "They are quiet and dirty.",
    "How many words are these? ladder, clerk, farmer.": "There are three words.",
    "Which of these is an animal: bells, hare, flute?": "It is hare.",
}
"""Instructions of the test split that the program and its documentation show, with the right
replies."""


@dataclass(frozen=True)
class Case:
    task: str
    conversation: Conversation
    shared: str = ""
    """How the prompt begins, up to a newline; cases that begin alike follow each other, so that
    this can be read once."""
    length: int = 0
    """Of the documents, in tokens, about."""
    depth: float = 0.0
    """Of the answer in them, from 0 to 1."""
    by: str = "task"
    """In which table it counts: that of tasks, or that by length and depth."""

    @property
    def prompt(self) -> str:
        return prompt_of(self.conversation)

    @property
    def wanted(self) -> str:
        return self.conversation[-1].reply


def instructions(split: Split, count: int) -> Iterator[Case]:
    """`count` of each kind."""
    for kind in INSTRUCTIONS:
        for i in range(count):
            yield Case(
                f"instruction: {kind.__name__}", kind(split, Random(f"{SEED} {kind.__name__} {i}"))
            )


def examples() -> Iterator[Case]:
    """What is typed back: whatever the model itself, the program or a page names as an example."""
    for instruction, reply in (EXAMPLES | SHOWN).items():
        yield Case("examples", [Turn(instruction, reply)])


def drawn(task: str, kind: Kind, split: Split, count: int) -> Iterator[Case]:
    """Small talk, and what is foreign."""
    for i in range(count):
        yield Case(task, kind(split, Random(f"{SEED} {task} {i}")))


def summaries(split: Split, count: int) -> Iterator[Case]:
    """Of 2 to 12 scenes, each of 3 to 15 sentences beside its event."""
    for i in range(count):
        yield Case("summaries", story(2 + i % 11, 3 + i % 13, split, Random(f"{SEED} story {i}")))


def questions(
    split: Split, documents: int, tokens: int, texts: int, each: int, by: str = "task"
) -> Iterator[Case]:
    """`each` questions about each of `texts` texts, spread evenly over its documents."""
    fillers = max(
        1,
        round(
            tokens / documents / TOKENS_OF_SENTENCE
            - FACTS
            - TOKENS_OF_DOCUMENT / TOKENS_OF_SENTENCE
        ),
    )
    for text in range(texts):
        for i in range(each):
            depth = (i + 0.5) / each
            # The documents come from the same random numbers every time; only the question is
            # another.
            rng = Random(f"{SEED} {by} {documents} {tokens} {text}")
            conversation = conversation_about(
                Size(documents, FACTS, fillers, 1), split, rng, [int(depth * documents)]
            )
            shared = conversation[0].instruction.rsplit("\n\n", 1)[0]
            yield Case(
                f"{documents} documents", conversation, f"[INST]\n{shared}\n", tokens, depth, by
            )


def by_length(split: Split, tokens: int, texts: int) -> Iterator[Case]:
    """Two questions in each tenth of a text of `tokens` tokens."""
    documents = min(MOST_DOCUMENTS, max(10, tokens // DOCUMENT_TOKENS))
    yield from questions(split, documents, tokens, texts, 2 * DEPTHS, "length")


def part_right(reply: str, case: Case) -> float:
    """1 if the reply is the expected one to the letter, or 0; of a summary, which part of its lines
    is right."""
    if case.task != "summaries":
        return float(reply == case.wanted)
    wanted, got = case.wanted.split("\n"), reply.split("\n")
    return sum(line in got for line in wanted) / len(wanted)
