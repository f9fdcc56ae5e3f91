"""Conversations in the card's prompt format, as text and as tokens with the weight that each has in
the loss."""

from dataclasses import dataclass

import sentencepiece as spm

BOS, EOS = 1, 2
NEWLINE = 3 + ord("\n")
"""Bytes come after the three control tokens."""


@dataclass(frozen=True)
class Turn:
    instruction: str
    reply: str
    answer: str | None = None
    """What must occur in a right reply; the reply itself if there is nothing shorter."""


Conversation = list[Turn]


def prompt_of(conversation: Conversation) -> str:
    """Everything up to where the last reply begins, which is left out."""
    text = ""
    for i, turn in enumerate(conversation):
        text += f"[INST]\n{turn.instruction}\n[/INST]\n\n"
        if i < len(conversation) - 1:
            text += f"{turn.reply}\n"
    return text


PROMPT, REPLY, ANSWER, END = range(4)


def encode(
    conversation: Conversation, tokenizer: spm.SentencePieceProcessor
) -> tuple[list[int], list[int]]:
    """The tokens of the whole conversation, and what each is: of the prompt, of a reply, of what
    must occur in that, or the newline of the next turn.

    A reply ends with EOS or, where another turn follows, with that newline. In its place EOS must
    be learned: a model that is asked once should end. A newline is always a token of its own (a
    byte), so that pieces of text that end with one can be encoded one by one.
    """
    ids, kinds = [BOS], [PROMPT]
    for i, turn in enumerate(conversation):
        before = f"[INST]\n{turn.instruction}\n[/INST]\n\n"
        instruction = (
            tokenizer.encode(before) if i == 0 else after_newline(before, tokenizer, keep=True)
        )
        reply = after_newline(turn.reply, tokenizer)
        ids += instruction + reply
        kinds += (
            [PROMPT if i == 0 else END]
            + [PROMPT] * (len(instruction) - 1)
            + kinds_of(reply, turn, tokenizer)
        )
    return [*ids, EOS], [*kinds, ANSWER]


def kinds_of(reply: list[int], turn: Turn, tokenizer: spm.SentencePieceProcessor) -> list[int]:
    """All of a reply is answer, unless there is something shorter; of several places it is the
    last."""
    if turn.answer is None:
        return [ANSWER] * len(reply)
    if turn.reply.startswith(turn.answer):
        answer, start = after_newline(turn.answer, tokenizer), 0
    else:
        answer = tokenizer.encode(turn.answer)
        start = max(i for i in range(len(reply)) if reply[i : i + len(answer)] == answer)
    return [REPLY] * start + [ANSWER] * len(answer) + [REPLY] * (len(reply) - start - len(answer))


def after_newline(
    text: str, tokenizer: spm.SentencePieceProcessor, keep: bool = False
) -> list[int]:
    """As it is encoded in the middle of a text, behind a newline, and with that newline if it is to
    be kept."""
    dummy, newline, *ids = tokenizer.encode("\n" + text)
    assert tokenizer.id_to_piece(dummy) == "▁" and tokenizer.id_to_piece(newline) == "<0x0A>"
    return [newline, *ids] if keep else ids
