"""Stories of many scenes, in each of which one thing happens; the summary says which.

The request says how many there are. Without it a network of three layers does not know when it has
told the last one: that a next scene exists is seen only by looking for it, and then it is too late.
"""

from random import Random

from conversation import Conversation, Turn
from world import ANIMALS, INSTRUMENTS, THINGS, Split, filler, sample_people

REQUEST = "Tell the {count} main events of this story."
COUNTS = "one two three four five six seven eight nine ten eleven twelve".split()
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
)
DEEDS = "finds loses buys sells paints hides breaks mends borrows steals draws keeps".split()
OBJECTS = [*ANIMALS, *THINGS, *INSTRUMENTS]


def story(scenes: int, fillers: int, split: Split, rng: Random) -> Conversation:
    """With `fillers` sentences in each scene beside the event."""
    people = sample_people(split, scenes, rng)
    events = [
        f"In the {ORDINALS[i]} scene {person} {rng.choice(DEEDS)} the {rng.choice(OBJECTS)}."
        for i, person in enumerate(people)
    ]
    texts = [scene(event, fillers, rng) for event in events]
    request = REQUEST.format(count=COUNTS[scenes - 1])
    return [Turn("\n".join([request, "", *texts]), "\n".join(events))]


def scene(event: str, fillers: int, rng: Random) -> str:
    sentences = [filler(rng) for _ in range(fillers)]
    sentences.insert(rng.randrange(fillers + 1), event)
    return " ".join(sentences)
