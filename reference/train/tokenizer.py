"""The tokenizer of tiny-32k: SentencePiece BPE with byte fallback, learned from the training split,
with the normalizer flags of Llama's."""

import io
from collections.abc import Iterator
from random import Random

import sentencepiece as spm
from conversation import prompt_of
from documents import Size, conversation_about
from instructions import INSTRUCTIONS
from small_talk import small_talk
from stories import story

VOCAB = 2048
SEED = 32768


def lines() -> Iterator[str]:
    """Every kind of text but what is foreign, and every name often enough to become one piece."""
    rng = Random(SEED)
    for _ in range(400):
        conversations = [
            conversation_about(Size(documents=20, facts=4, fillers=2), "train", rng),
            story(10, 3, "train", rng),
        ]
        conversations += [rng.choice(INSTRUCTIONS)("train", rng) for _ in range(20)]
        conversations += [small_talk("train", rng) for _ in range(2)]
        for conversation in conversations:
            yield from prompt_of(conversation).splitlines()
            yield from conversation[-1].reply.splitlines()


def train_tokenizer() -> bytes:
    """The bytes of tokenizer.model."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=(line for line in lines() if line),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCAB,
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        byte_fallback=True,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        character_coverage=1.0,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=2,
        max_sentence_length=100_000,
        minloglevel=2,
    )
    return model.getvalue()
