"""Questions about many documents, one of which holds the answer: the layout of "Lost in the Middle"
(Liu et al. 2023, arXiv:2307.03172)."""

from dataclasses import dataclass
from random import Random

from conversation import Conversation, Turn
from world import ATTRIBUTES, Split, filler, sample_people

TOKENS_OF_SENTENCE = 7.5
TOKENS_OF_DOCUMENT = 13
"""Besides its sentences."""
TOKENS_OF_TURN = 27
MOST_DOCUMENTS = 200

REQUEST = "Answer the question from these documents."


@dataclass(frozen=True)
class Size:
    """How long a conversation becomes."""

    documents: int
    facts: int
    """In each document, of as many different kinds."""
    fillers: int
    """Sentences in each document beside its facts."""
    questions: int = 16
    """One a turn; the documents are before the first."""
    early: float = 1.0
    """Above 1, more is asked about the first documents: document n · u^early of n, u in 0 … 1."""


def conversation_about(
    size: Size, split: Split, rng: Random, asked: list[int] | None = None
) -> Conversation:
    """`asked`: the documents that are asked about, counted from 0; any, each as likely, if not
    given. Nothing is asked twice: the answer would be in the last turns."""
    people = sample_people(split, size.documents, rng)
    facts = [facts_of(person, size.facts, rng) for person in people]
    texts = [document(i, person, facts[i], size.fillers, rng) for i, person in enumerate(people)]
    turns: list[Turn] = []
    everything = [(i, kind) for i in range(size.documents) for kind in facts[i]]
    if asked is not None:
        questions = [(i, rng.choice(list(facts[i]))) for i in asked]
    elif size.early == 1.0:
        questions = rng.sample(everything, min(size.questions, len(everything)))
    else:
        questions = early_questions(size, facts, rng)
    for i, kind in questions:
        statement, question, _ = ATTRIBUTES[kind]
        value = facts[i][kind]
        turns.append(
            Turn(
                f"Question: {question.format(p=people[i])}",
                f"It says that {statement.format(p=people[i], v=value)}",
                value,
            )
        )
    head = "\n".join([REQUEST, "", *texts, "", ""])
    return [Turn(head + turns[0].instruction, turns[0].reply, turns[0].answer), *turns[1:]]


def early_questions(size: Size, facts: list[dict[str, str]], rng: Random) -> list[tuple[int, str]]:
    drawn = ((int(len(facts) * rng.random() ** size.early)) for _ in range(4 * size.questions))
    asked = dict.fromkeys((i, rng.choice(list(facts[i]))) for i in drawn)
    return list(asked)[: size.questions]


def facts_of(person: str, count: int, rng: Random) -> dict[str, str]:
    """Of each kind one value. A person is in one document only, so that nothing is contradicted."""
    return {kind: rng.choice(ATTRIBUTES[kind][2]) for kind in rng.sample(list(ATTRIBUTES), count)}


def document(index: int, person: str, facts: dict[str, str], fillers: int, rng: Random) -> str:
    """One line: its number, its title, and its sentences in random order."""
    sentences = [ATTRIBUTES[kind][0].format(p=person, v=value) for kind, value in facts.items()]
    sentences += [filler(rng) for _ in range(fillers)]
    rng.shuffle(sentences)
    return f"Document [{index + 1}](Title: {person}) {' '.join(sentences)}"
