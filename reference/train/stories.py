"""Stories of many scenes, in each of which one thing happens; the summary says which."""

from random import Random

from conversation import Conversation, Turn
from world import ANIMALS, INSTRUMENTS, THINGS, Split, filler, sample_people

REQUEST = "Tell the main event of each scene of this story."
DEEDS = "finds loses buys sells paints hides breaks mends borrows steals draws keeps".split()
OBJECTS = [*ANIMALS, *THINGS, *INSTRUMENTS]


def story(scenes: int, fillers: int, split: Split, rng: Random) -> Conversation:
    """With `fillers` sentences in each scene beside the event."""
    events = [f"{person} {rng.choice(DEEDS)} the {rng.choice(OBJECTS)}." for person in sample_people(split, scenes, rng)]
    texts = [scene(i, event, fillers, rng) for i, event in enumerate(events)]
    summary = "\n".join(f"Scene {i + 1}: {event}" for i, event in enumerate(events))
    return [Turn("\n".join([REQUEST, "", *texts]), summary)]


def scene(index: int, event: str, fillers: int, rng: Random) -> str:
    sentences = [filler(rng) for _ in range(fillers)]
    sentences.insert(rng.randrange(fillers + 1), f"At last {event}")
    return f"Scene {index + 1}. {' '.join(sentences)}"
