"""Stories of many scenes, in each of which one thing happens; the summary says which.

Every event ends with how many there are, "three of five". Without that a network of three layers
does not know when it has told the last one: that a next scene exists is seen only by looking for
it, and then it is too late. A count in the request, or at the beginning of an event, must be found
before it can be compared; here both numbers are heard where the reply goes on or ends.
"""

from random import Random

from conversation import Conversation, Turn
from world import ANIMALS, INSTRUMENTS, THINGS, Split, filler, sample_people

REQUEST = "Tell the main events of this story."
NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
)
DEEDS = "finds loses buys sells paints hides breaks mends borrows steals draws keeps".split()
OBJECTS = [*ANIMALS, *THINGS, *INSTRUMENTS]


def story(scenes: int, fillers: int, split: Split, rng: Random) -> Conversation:
    """With `fillers` sentences in each scene beside the event."""
    people = sample_people(split, scenes, rng)
    events = [
        f"In the {ORDINALS[i]} scene {person} {rng.choice(DEEDS)} the {rng.choice(OBJECTS)},"
        f" {NUMBERS[i]} of {NUMBERS[scenes - 1]}."
        for i, person in enumerate(people)
    ]
    texts = [scene(event, fillers, rng) for event in events]
    return [Turn("\n".join([REQUEST, "", *texts]), "\n".join(events))]


def scene(event: str, fillers: int, rng: Random) -> str:
    sentences = [filler(rng) for _ in range(fillers)]
    sentences.insert(rng.randrange(fillers + 1), event)
    return " ".join(sentences)
