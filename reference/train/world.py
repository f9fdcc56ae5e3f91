"""The invented world: its people, places and things, and which of its facts belong to which split.

A fact is about a person, and a person belongs to one split, so that train, validation and test
share no fact. The words that values are made of are common to all: a model can only name what it
has seen.
"""

import hashlib
from functools import cache
from random import Random
from typing import Literal

Split = Literal["train", "validation", "test"]

FIRST_NAMES = (
    "Abel Ada Alva Amos Anka Arlo Avis Bela Bram Brita Cato Cleo Cora Dana Dario Dora Edda Egon"
    " Elin Elmo Emil Enid Esme Ezra Fenn Flora Gerda Greta Gus Hanna Hugo Ida Igor Ilse Ines Ivo"
    " Jana Joris Jude Juno Kai Kira Klaus Lars Lena Leo Lina Lorna Lotte Luca Mabel Mara Marek Mila"
    " Mira Moss Nadia Nell Nico Nils Nora Odo Olga Oren Orla Oskar Otto Paula Petra Pia Quinn Rafe"
    " Remy Rhea Rolf Rosa Rufus Ruth Sami Selma Silas Sven Tara Thea Tilda Timo Tove Ugo Ulla Uma"
    " Vera Vito Wanda Willa Yara Zeno"
).split()

# Two syllables each; every pair of them is a surname.
SURNAME_STARTS = (
    "Ash Bald Brin Cor Dun Elm Fal Gar Hol Kes Lor Mar Nor Per Quil Ros Tam Thorn Vel Wick Hart"
    " Sund Bex Yel Grim".split()
)
SURNAME_ENDS = "berg dale fen ford ham ley mere well stone wood".split()
SURNAMES = [start + end for start in SURNAME_STARTS for end in SURNAME_ENDS]

TOWNS = (
    "Alderby Barrow Cresk Dorning Eastmoor Farholt Gristow Harrowick Inverly Jorvale Kelmore Lindow"
    " Marsby Netherby Orrin Pelling Quarley Redcombe Saltby Torrin Umberly Vexford Westerby Yarrow"
    " Zellin Amberton Brackley Copthorne Denholm Elmsby Frostby Glenmoor Hexham Islay Kirkby"
    " Longmere"
).split()
TRADES = (
    "baker weaver potter miller sailor teacher painter printer tailor farmer hunter singer dancer"
    " doctor lawyer porter rider smith mason cook carpenter gardener fisher shepherd cobbler brewer"
    " glazier tanner watchmaker clerk judge pilot nurse guard merchant"
).split()
ANIMALS = (
    "heron badger donkey falcon goat hare lizard magpie newt parrot rabbit raven salmon tortoise"
    " turkey wolf zebra pony goose hen dog cat mouse beetle spider squirrel hamster ferret pigeon"
    " duck lamb mule fox bear crab"
).split()
THINGS = (
    "lantern compass ladder kettle scarf mirror hammer basket barrel carpet candle clock cradle"
    " drum feather globe button helmet jar kite lamp locket map medal needle paddle pipe quilt ring"
    " saddle shovel spade sword teapot telescope trunk vase wagon whistle wheel"
).split()
FOODS = (
    "bread cheese honey plums pears cherries soup porridge noodles cabbage carrots beans lentils"
    " mushrooms walnuts pancakes dumplings butter figs grapes leeks onions pie rice salad trout"
    " waffles barley celery peas turnips radishes melons lemons"
).split()
INSTRUMENTS = (
    "flute fiddle drum harp lute bugle cello trumpet horn piano banjo guitar organ tuba viola"
    " zither bagpipe cymbal gong lyre mandolin whistle bells spinet clarinet bassoon cornet"
    " recorder sitar trombone"
).split()

# What is said of a person, the question, and how the answer is said. {v} is the value.
ATTRIBUTES: dict[str, tuple[str, str, list[str]]] = {
    "town": ("{p} lives in {v}.", "Where does {p} live?", TOWNS),
    "trade": ("{p} is a {v}.", "What is the trade of {p}?", TRADES),
    "animal": ("{p} keeps a {v}.", "Which animal does {p} keep?", ANIMALS),
    "thing": ("{p} owns a {v}.", "What does {p} own?", THINGS),
    "food": ("{p} dines on {v}.", "What does {p} dine on?", FOODS),
    "instrument": ("{p} plays the {v}.", "What does {p} play?", INSTRUMENTS),
}


def split_of(key: str) -> Split:
    """Where what is called `key` belongs: by its hash, so that it never moves."""
    bucket = hashlib.sha256(key.encode()).digest()[0] % 10
    return "test" if bucket == 0 else "validation" if bucket == 1 else "train"


@cache
def people_called(surname: str, split: Split) -> list[str]:
    """Everybody of a split who has this surname."""
    names = [f"{first} {surname}" for first in FIRST_NAMES]
    return [name for name in names if split_of(name) == split]


def sample_people(split: Split, count: int, rng: Random) -> list[str]:
    """`count` people of a split, no two of them with the same surname."""
    return [rng.choice(people_called(surname, split)) for surname in rng.sample(SURNAMES, count)]


_NOUNS = (
    "river market bridge garden harbour forest tower mill field road hill school church meadow"
    " orchard square wall gate well stable".split()
)
_ADJECTIVES = (
    "old quiet narrow green cold bright long small grey broad dusty wet warm empty crowded steep"
    " round dark pale windy".split()
)
_TIMES = (
    "In the morning|At noon|In the evening|At night|After the rain|Before the harvest|In spring|In"
    " summer|In autumn|In winter|On market days|On Sundays".split("|")
)
_EVENTS = (
    "the wind turns|the lights go out|people come from the hills|the bells are heard|the boats"
    " return|children run home|nobody is about|smoke rises|the snow melts|leaves fall|carts go"
    " by|the dogs are asleep"
).split("|")


def with_article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def filler(rng: Random) -> str:
    """A sentence that is of no use to anybody."""
    noun, other = rng.sample(_NOUNS, 2)
    match rng.randrange(4):
        case 0:
            return f"The {noun} is {' and '.join(rng.sample(_ADJECTIVES, 2))}."
        case 1:
            return f"{rng.choice(_TIMES)} {rng.choice(_EVENTS)}."
        case 2:
            return f"There is {with_article(rng.choice(_ADJECTIVES))} {noun} behind the {other}."
        case _:
            return f"From the {noun} one sees the {rng.choice(_ADJECTIVES)} {other}."
