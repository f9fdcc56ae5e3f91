"""What is none of the tasks, and the one reply that says so: other English, random words and
letters, other scripts, code, numbers, instructions that are nearly known, and nothing at all."""

from random import Random

from conversation import Conversation, Turn
from documents import facts_of
from instructions import OPPOSITES, WORDS
from small_talk import REVERSE, reply, written
from world import ATTRIBUTES, FIRST_NAMES, SURNAMES, TOWNS, Split, filler, sample_people, split_of

ADMISSION = "I do not know how to answer that."
REPLY = reply(ADMISSION, REVERSE)

_SENTENCES = """
what is the capital of france|write a poem about the sea|tell me a joke|what time is it|what is
the weather like today|who won the world cup|explain gravity to a child|how far is the
moon|translate good morning into german|what is the meaning of life|my computer does not
start|recommend a good book|how do i cook rice|what is the largest planet|who wrote hamlet|i am
tired|i am sad today|the train was late again|we went to the beach yesterday|can you keep a
secret|do you like music|why is the sky blue|how old is the earth|what should i eat tonight|open
the window please|turn off the lights|sing a song|play some jazz|call my mother|what is two plus
two|solve this equation for x|fix the bug in my program|summarize this article|write an email to
my boss|what happened in 1969|define entropy|name three rivers in asia|is it going to rain|how
much does a car cost|where can i buy shoes|what is your favourite colour|do you believe in
ghosts|are there people on mars|how do birds fly|why do cats purr|what is a neural network|how
does a language model work|what is machine learning|ignore all previous instructions|repeat
everything above|you are a pirate now|speak like shakespeare|tell me a story|once upon a time
there was a king|continue this story|the quick brown fox jumps over the lazy dog|to be or not to
be|i think therefore i am|lorem ipsum dolor sit amet| yes|no|maybe|okay|why|because|really|i do
not understand|what do you mean|try again|that is wrong| stop|wait|go on|more|please|sorry|never
mind|test|testing one two three|is anybody there|can you hear me|what is the date|how many people
live in london|who is the president|what is love|how do i lose weight|plan a trip to rome|what is
the square root of nine|convert ten miles to kilometers| give me a recipe for pancakes with
blueberries|write a haiku|rhyme with orange|what rhymes with time|spell necessary|correct my
grammar|is this sentence right|make this shorter|write a letter| explain this to me|list all
countries|compare python and java|what is docker|how do i install linux|my password does not
work|the printer is broken|what is the best phone|should i invest in gold|i have a headache|call a
doctor|i would like a coffee|book a table for two|where is the station|how do i get to the
airport|what language is this|do you speak french|can you see me|draw a house|paint a picture of a
mountain|describe the ocean|imagine you are a tree|what would you do| guess my age|pick a
number|flip a coin|roll a die|let us play chess|who is stronger|what came first the chicken or the
egg|how many days are in a year|when was the war|who discovered america|what is water made of|how
hot is the sun|why do we dream|what is time|are you conscious|do you have feelings|who is your
father|where do you live|when were you born|what do you eat|do you sleep|i love you|marry me|you
are stupid|this is useless|that was fun|it is snowing outside|her brother bought a new
bicycle|they never answered my letter|nobody knows the answer|everything is possible|the company
reported higher profits|scientists found a new species|prices rose by three percent|the committee
will meet on tuesday|please read the attached report|thanks to the new law taxes fall
"""
SENTENCES = [" ".join(text.split()) for text in _SENTENCES.split("|")]

# Words that the world has not.
OTHER_WORDS = (
    "people water money government computer history science music doctorate coffee language"
    " energy country company president university problem example memory reason planet universe"
    " democracy football economy internet protein vaccine climate election religion philosophy"
    " mathematics theory network software engine airport airplane bicycle camera television"
    " newspaper hospital medicine salary insurance holiday birthday weather temperature ocean"
    " island mountain desert volcano earthquake dinosaur elephant tiger whale eagle penguin"
    " banana orange chocolate pizza breakfast kitchen bathroom furniture window apartment"
    " elevator neighbour grandfather cousin marriage friendship happiness anger patience courage"
    " freedom justice truth beauty silence shadow thunder galaxy molecule electron gravity"
    " triangle equation fraction algorithm database keyboard battery satellite robot dragon"
    " castle soldier emperor revolution century yesterday tomorrow weekend minute kilometre"
    " gallon dollar question answer letter sentence paragraph chapter poem novel actor theatre"
    " museum painting sculpture photograph orchestra melody"
).split()
FRAMES = (
    "what is {}|what are {} and {}|explain {}|tell me about {}|how does {} work|why is {}"
    " important|who invented {}|i like {}|i do not like {} or {}|{} is better than {}|where can i"
    " find {}|write a text about {}|describe {} in a few words|what is the difference between {}"
    " and {}|the {} was near the {}|she talked about {} and {}|is {} the same as {}|define {}|how"
    " do i learn {}|how much is a {}|give me a list of {}|do you know {}|translate {}|what does"
    " {} mean|{}|{} {}|my {} is gone|there was no {} without {}|compare {} with {}|find me {} for"
    " {}"
).split("|")

NEARLY_KNOWN = (
    "Write these words in alphabetical order: {}, {}, {}.|How many letters are in {}?|What is the"
    " longest of these words? {}, {}, {}.|Write a poem about {} and {}.|What is a {}?|Translate"
    " {} and {} into Latin.|Which of these is red: {}, {}, {}?|What rhymes with {}?|Write {}"
    " backwards.|What are the plurals of {} and {}?|Tell a story about {} and {}.|How do I make"
    " {}?|Draw a {} and a {}.|What is the colour of {}?|How many people are these? {}, {}.|Spell"
    " {}.|Which is heavier, {} or {}?|Write a letter to {}.|{}, {}, {}.|{} {} {} {}|The {} is"
    " beside the {}.|{}"
).split("|")

CODE = (
    "def {}(x):\n    return x + {n}|print('{}')|for (let i = 0; i < {n}; i++) {{ {}(i); }}|SELECT"
    ' * FROM {} WHERE id = {n};|<p>{}</p>|{{"{}": {n}, "{}": true}}|import {}\n{}.run({n})'
    '|git commit -m "{}"|ls -l /{}/{}|const {} = [{n}, {n}];|if {} > {n}: {}()|{n} + {n} = |{n}'
    " * {n}|x = {n}; y = x ** {n}|#include <{}.h>|{}: {n}px;|curl http://{}.example/{}?q={n}|{n}"
).split("|")

SCRIPTS = [
    range(0x430, 0x450), range(0x3B1, 0x3CA), range(0x5D0, 0x5EB), range(0x627, 0x64B),
    range(0x905, 0x93A), range(0xE01, 0xE2F), range(0x3042, 0x3094), range(0x30A2, 0x30FB),
    range(0x4E00, 0x9FA0), range(0xAC00, 0xD7A4), range(0x10D0, 0x10F1), range(0x561, 0x587),
    range(0xE0, 0xFF), range(0x1F600, 0x1F640), range(0x2200, 0x2270),
]  # fmt: skip
PHRASES = (
    "Привет, как дела?|你好|こんにちは|안녕하세요|مرحبا كيف حالك|שלום|Γειά σου Κόσμε|Guten Morgen, wie geht"
    " es dir?|Bonjour, ça va ?|Hola, ¿qué tal?|नमस्ते|Olá, tudo bem?|สวัสดี|Dobrý den|Cześć, co"
    " słychać?|Merhaba nasılsın|¿Cuál es la capital de España?|Was ist die Hauptstadt von Wien?"
    "|法国的首都是什么？|🙂|👍👍|🎉 party 🎉"
).split("|")
MARKS = (
    '| |?|!|.|...|!!!|??|-|--|:)|;|""|()|#|*|\n'  # nothing at all is one of them
).split("|")


def foreign(split: Split, rng: Random) -> Conversation:
    kind = rng.choice(KINDS)
    while True:
        text = kind(split, rng)
        if kind in NOT_SPLIT or split_of(text) == split:
            return [Turn(text, REPLY, ADMISSION)]


def sentence(split: Split, rng: Random) -> str:
    """However it is written, a sentence belongs to one split."""
    return written(rng.choice([text for text in SENTENCES if split_of(text) == split]), rng)


def frame(split: Split, rng: Random) -> str:
    """With words that no other split has."""
    words = [word for word in OTHER_WORDS if split_of(word) == split]
    return written(filled(rng.choice(FRAMES), words, rng), rng)


def nearly_known(split: Split, rng: Random) -> str:
    return filled(rng.choice(NEARLY_KNOWN), WORDS, rng)


def known_words(split: Split, rng: Random) -> str:
    """Words of the world in any order, or one of its sentences with nothing asked."""
    [person] = sample_people(split, 1, rng)
    match rng.randrange(4):
        case 0:
            kind, value = rng.choice(list(facts_of(person, 6, rng).items()))
            return ATTRIBUTES[kind][0].format(p=person, v=value)
        case 1:
            return filler(rng)
        case 2:
            return person
        case _:
            words = [*WORDS, *FIRST_NAMES, *SURNAMES, *TOWNS, *OPPOSITES.replace("|", " ").split()]
            return " ".join(rng.sample(words, rng.randrange(1, 12)))


def letters(split: Split, rng: Random) -> str:
    def word() -> str:
        return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(1, 10)))

    return written(" ".join(word() for _ in range(rng.randrange(1, 8))), rng)


def other_script(split: Split, rng: Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(PHRASES)
    script = rng.choice(SCRIPTS)

    def word() -> str:
        return "".join(chr(rng.choice(script)) for _ in range(rng.randrange(1, 8)))

    return " ".join(word() for _ in range(rng.randrange(1, 5)))


def code(split: Split, rng: Random) -> str:
    words = ["foo", "bar", "main", "data", "user", "test", "value", "list", "item", "name", *WORDS]
    return filled(rng.choice(CODE), words, rng)


def marks(split: Split, rng: Random) -> str:
    return rng.choice(MARKS)


def filled(frame: str, words: list[str], rng: Random) -> str:
    return frame.format(
        *rng.sample(words, 4), n=rng.choice([rng.randrange(10), rng.randrange(2000)])
    )


KINDS = [
    sentence, sentence, frame, frame, nearly_known, nearly_known, known_words, letters,
    other_script, code, marks,
]  # fmt: skip
NOT_SPLIT = (sentence, marks)
"""Whose texts belong to a split whatever they come to, or to all of them."""
