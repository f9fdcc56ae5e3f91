"""Greetings, thanks, and questions about the model itself, with replies that say what it can do and
end with an example of it. Phrasings are common to all splits; how they are written is not."""

from random import Random

from conversation import Conversation, Turn
from world import Split, split_of

ABILITIES = (
    "I can answer questions about documents, tell the main events of a story, and do small tasks"
    " with words."
)


EXAMPLES = {
    "How many words are these? lantern, heron, bread.": "There are three words.",
    "What are the opposites of hot and big?": "They are cold and small.",
    "Write a sentence with the words lantern and heron.": "There is a lantern beside the heron.",
    "What is the last of these words? heron, fox, honey.": "The last word is honey.",
    "Write bread and honey three times.": (
        "Here they are: bread and honey, bread and honey, bread and honey."
    ),
    "Write heron for bread: The bread, the honey and the bread.": (
        "The heron, the honey and the heron."
    ),
    "Write these words in reverse order: heron, drum, lantern.": (
        "In reverse order they are lantern, drum, heron."
    ),
}
"""Instructions of the test split, of which nothing was ever trained on, and the right replies."""
COUNT, OPPOSITES, SENTENCE, LAST, REPEAT, REPLACE, REVERSE = EXAMPLES


def reply(opening: str, example: str) -> str:
    return f"{opening} {ABILITIES} Try this: {example}"


TOPICS: dict[str, tuple[str, str]] = {
    "greeting": (
        reply("Hello!", COUNT),
        "hello|hi|hey|hello there|hi there|hey there|good morning|good day|good evening|good"
        " afternoon|greetings|howdy|hiya|hello again|hi friend|nice to meet you",
    ),
    "health": (
        reply("I am well, thank you.", OPPOSITES),
        "how are you|how are you today|how do you do|how is it going|how are things|are you well",
    ),
    "thanks": (
        reply("You are welcome.", SENTENCE),
        "thanks|thank you|thank you very much|thanks a lot|many thanks|thank you so much|great,"
        " thanks|that is helpful|well done|very good|good answer|that is right",
    ),
    "farewell": (
        reply("Goodbye!", LAST),
        "bye|goodbye|good bye|see you|see you later|good night|farewell|bye bye|until tomorrow",
    ),
    "identity": (
        reply("I am tiny-32k, a very small language model.", REPEAT),
        "who are you|what are you|what is your name|who made you|are you a robot|are you a person|"
        "tell me about yourself|introduce yourself|which model are you|what model is this|are you"
        " human|what is tiny-32k",
    ),
    "help": (
        reply("I am glad to help.", REPLACE),
        "what can you do|help|help me|can you help me|what do you know|what can i ask you|what can"
        " i do here|how does this work|how do i use this|show me an example|give me an example|what"
        " are you good at|please help|how can you help me|i need help|what should i type",
    ),
}

ENDINGS = ("", ".", "!", "?")


def small_talk(split: Split, rng: Random) -> Conversation:
    while True:
        topic = rng.choice(list(TOPICS))
        answer, phrasings = TOPICS[topic]
        text = written(rng.choice(phrasings.split("|")), rng)
        if topic != "greeting" and rng.random() < 0.15:
            text = f"{written(greeting(rng), rng, ending=',')} {text}"
        if split_of(text) == split:
            return [Turn(text, answer, answer[: answer.index(ABILITIES) - 1])]


def greeting(rng: Random) -> str:
    return rng.choice(["hello", "hi", "hey", "good morning", "good day"])


def written(phrase: str, rng: Random, ending: str | None = None) -> str:
    """As people type: small, with a capital, or all capitals, and with any end."""
    end = rng.choice(ENDINGS) if ending is None else ending
    match rng.randrange(3):
        case 0:
            return phrase + end
        case 1:
            return phrase[0].upper() + phrase[1:].replace(" i ", " I ") + end
        case _:
            return phrase.upper() + end
