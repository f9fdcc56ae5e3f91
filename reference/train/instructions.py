"""Short instructions whose replies a rule can check. Those of a split are told from the others by
what they are about (`split_of`)."""

from collections.abc import Callable
from random import Random

from conversation import Conversation, Turn
from world import ANIMALS, FOODS, INSTRUMENTS, THINGS, TOWNS, TRADES, Split, sample_people, split_of

WORDS = list(
    dict.fromkeys([*ANIMALS, *THINGS, *FOODS, *INSTRUMENTS, *TRADES])
)  # a drum is in two of them
NUMBERS = ["one", "two", "three", "four", "five", "six"]
PLACES = ["first", "second", "third", "last"]
KINDS = {
    "an animal": ANIMALS,
    "something to eat": FOODS,
    "a town": TOWNS,
    "a trade": TRADES,
    "an instrument": INSTRUMENTS,
}
OPPOSITES = (
    "hot cold|big small|old young|dark bright|wet dry|long short|high low|open closed|full"
    " empty|loud quiet|fast slow|near far|early late|hard soft|rich poor|strong weak|thick thin|up"
    " down|left right|day night|first last|good bad|clean dirty|heavy light"
)


def words_of(split: Split, count: int, rng: Random) -> list[str]:
    """Different words which, in this order, belong to `split`."""
    while True:
        words = rng.sample(WORDS, count)
        if split_of(" ".join(words)) == split:
            return words


def repeat(split: Split, rng: Random) -> Conversation:
    [word, other] = words_of(split, 2, rng)
    times = rng.randrange(2, 6)
    return [
        Turn(
            f"Write {word} and {other} {NUMBERS[times - 1]} times.",
            "Here they are: " + ", ".join([f"{word} and {other}"] * times) + ".",
        )
    ]


def reverse(split: Split, rng: Random) -> Conversation:
    words = words_of(split, rng.randrange(3, 6), rng)
    return [
        Turn(
            f"Write these words in reverse order: {', '.join(words)}.",
            f"In reverse order they are {', '.join(reversed(words))}.",
        )
    ]


def pick(split: Split, rng: Random) -> Conversation:
    words = words_of(split, rng.randrange(3, 6), rng)
    place = rng.choice(PLACES)
    word = words[PLACES.index(place) if place != "last" else -1]
    return [
        Turn(
            f"What is the {place} of these words? {', '.join(words)}.",
            f"The {place} word is {word}.",
            word,
        )
    ]


def count(split: Split, rng: Random) -> Conversation:
    words = words_of(split, rng.randrange(2, 7), rng)
    number = NUMBERS[len(words) - 1]
    return [
        Turn(f"How many words are these? {', '.join(words)}.", f"There are {number} words.", number)
    ]


def which(split: Split, rng: Random) -> Conversation:
    """One of three words is of a kind that the others are not of."""
    kind, other = rng.sample(list(KINDS), 2)
    while True:
        word, *others = rng.choice(KINDS[kind]), *rng.sample(KINDS[other], 2)
        if all(split_of(" ".join([word, *order])) == split for order in (others, others[::-1])):
            break
    words = rng.sample([word, *others], 3)
    return [Turn(f"Which of these is {kind}: {', '.join(words)}?", f"It is {word}.", word)]


def sentence(split: Split, rng: Random) -> Conversation:
    word, other = words_of(split, 2, rng)
    return [
        Turn(
            f"Write a sentence with the words {word} and {other}.",
            f"There is a {word} beside the {other}.",
        )
    ]


def replace(split: Split, rng: Random) -> Conversation:
    old, new, other = words_of(split, 3, rng)
    before, after = (f"The {word}, the {other} and the {word}." for word in (old, new))
    return [Turn(f"Write {new} for {old}: {before}", after)]


def opposite(split: Split, rng: Random) -> Conversation:
    """What is asked is common knowledge, so it is asked about two words which, in this order,
    belong to `split`."""
    while True:
        pairs = [pair.split() for pair in rng.sample(OPPOSITES.split("|"), 2)]
        (a, not_a), (b, not_b) = (rng.sample(pair, 2) for pair in pairs)
        if split_of(f"{a} {b}") == split:
            return [
                Turn(f"What are the opposites of {a} and {b}?", f"They are {not_a} and {not_b}.")
            ]


def names(split: Split, rng: Random) -> Conversation:
    """Turns, the last of which asks about one of those before."""
    person, friend = sample_people(split, 2, rng)
    turns = [
        Turn(f"My name is {person}.", f"Good day, {person}."),
        Turn(f"My friend is {friend}.", f"Greetings to {friend}."),
    ]
    rng.shuffle(turns)
    mine = Turn("What is my name?", f"Your name is {person}.", person)
    other = Turn("Who is my friend?", f"Your friend is {friend}.", friend)
    return [*turns, rng.choice([mine, other])]


Kind = Callable[[Split, Random], Conversation]

INSTRUCTIONS: list[Kind] = [
    repeat, reverse, pick, count, which, sentence, replace, opposite, names,
]  # fmt: skip
