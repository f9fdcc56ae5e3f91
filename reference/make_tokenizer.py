"""Writes golden/tokenizer: a small Llama-like SentencePiece tokenizer, the same as tokenizer.json,
and vectors.

The sentences it learns from are made here, by a grammar and a seeded generator. The normalizer
flags are Llama's. Expected ids and texts come from SentencePiece; Hugging Face tokenizers must
agree, or the vector says how it differs.
"""

import argparse
import io
import json
import random
from pathlib import Path

import sentencepiece as spm
import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers.tokenization_utils_base import generate_merges

GOLDEN = Path(__file__).parent.parent / "golden" / "tokenizer"
VOCAB = 331
UNK, BOS, EOS = 0, 1, 2
SPECIALS = ["<unk>", "<s>", "</s>"]

WHO = [
    "the miller",
    "a small fox",
    "the night train",
    "her brother",
    "an old sailor",
    "the last bee",
    "my neighbour",
]
DID = [
    "carries",
    "finds",
    "paints",
    "forgets",
    "borrows",
    "answers",
    "waters",
    "counts",
    "leaves behind",
]
WHAT = [
    "the letter",
    "a red kite",
    "seven stones",
    "the garden",
    "two boats",
    "a quiet song",
    "the key",
    "some bread",
]
WHERE = [
    "near the harbour",
    "in the rain",
    "under the stairs",
    "after dinner",
    "at the café",
    "beyond the hill",
]


def sentences(count: int) -> list[str]:
    """Invented English, with numbers, runs of spaces, and one letter outside ASCII and one outside
    the BMP."""
    rng = random.Random(20)
    lines = []
    for _ in range(count):
        words = f"{rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHAT)} {rng.choice(WHERE)}"
        match rng.randrange(8):
            case 0:
                words = f"{words}, {rng.randrange(2024)} times"
            case 1:
                words = f"  {words}    {rng.choice(WHAT)}"
            case 2:
                words = f"{words} 🌱"
        lines.append(words + ".")
    return lines


def train() -> bytes:
    """The tokenizer.model: 3 specials, 256 bytes, and what is left for characters and merges."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(4000)),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCAB,
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        byte_fallback=True,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        character_coverage=0.99995,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def without_dummy_prefix(model: bytes) -> bytes:
    """The same tokenizer with add_dummy_prefix (field 3 of the normalizer) off: how a text is
    continued."""
    on, off = b"\x18\x01\x20\x00", b"\x18\x00\x20\x00"
    assert model.count(on) == 1
    return model.replace(on, off)


def hugging_face(sp: spm.SentencePieceProcessor, metaspace: bool) -> Tokenizer:
    """The tokenizer.json of transformers' LlamaConverter: its form until 4.x ("legacy"), and the
    form since."""
    pieces = [sp.id_to_piece(i) for i in range(sp.get_piece_size())]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    scores = {piece: sp.get_score(i) for i, piece in enumerate(pieces)}
    merges = generate_merges(vocab, scores)
    hf = Tokenizer(BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if metaspace:
        hf.pre_tokenizer = pre_tokenizers.Metaspace(
            replacement="▁", prepend_scheme="first", split=False
        )
    else:
        hf.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    steps = [
        decoders.Replace("▁", " "),
        decoders.ByteFallback(),
        decoders.Fuse(),
        decoders.Strip(" ", 1, 0),
    ]
    hf.decoder = decoders.Sequence(steps)
    hf.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in SPECIALS])
    return hf


def plain(hf: Tokenizer) -> Tokenizer:
    """The same without special tokens: SentencePiece takes "<s>" in a text for three characters,
    and so do we."""
    data = json.loads(hf.to_str())
    data["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(data))


HOSTILE_TEXTS = [
    "", " ", "  ", "   ", " " * 15, " " * 40, "\n", "\n\n", "\t", "\r\n", " \n", "\n ", "\0",
    "\x7f", "\u00a0", "\u3000", "the", " the", "  the", "the ", "the  ", "the the", "the  the",
    "thethethe", "the\nthe", "The", "THE MILLER", "▁", "▁▁", " ▁ ", "▁the", "the▁the", "the ▁ the",
    "<s>", "</s>", "<unk>", "<0x41>", "<s>the</s>", "<s> the <s>", "<pad>",
    "[INST]\nthe letter\n[/INST]\n\n", "2024", "1 000 000", "3.14159", "00000000", "a1b2c3",
    "café", "cafe\u0301", "naïve", "ﬁn", "你好,世界", "こんにちは", "안녕하세요", "привет", "שלום", "مرحبا",
    "ปี", "🌱", "🌱🌱 🌱", "🦙", "👩‍👩‍👧‍👦", "😶‍🌫️", "🇫🇷", "\U0010ffff", "\ufffd", "\ufeffthe",
    "\u200bthe", "\u2028", "e" * 33, "a" * 100, "s" * 7, "t" * 8, "ab" * 25, "th" * 17,
    "he" * 9 + "h", "the" * 11 + "th", "....", "...,,,", "the old sailor, 7 times.",
    "under the stairs" * 5,
]  # fmt: skip


def random_texts() -> list[str]:
    """Seeded strings: of pieces, of a small alphabet (many ties), and of any code points at all."""
    rng = random.Random(7)
    words = " ".join(WHO + DID + WHAT + WHERE).split(" ")

    def any_char() -> str:
        below = rng.randrange(rng.choice([0x80, 0x800, 0xD800]))
        return chr(rng.choice([below, rng.randrange(0xE000, 0x110000)]))

    texts = ["".join(rng.choice("ehrst ") for _ in range(rng.randrange(1, 40))) for _ in range(80)]
    ends = ["", " ", "  "]
    texts += [
        "".join(rng.choice(words)[: rng.randrange(1, 9)] + rng.choice(ends) for _ in range(8))
        for _ in range(50)
    ]
    texts += ["".join(any_char() for _ in range(rng.randrange(1, 20))) for _ in range(70)]
    return texts


def byte_ids(data: bytes) -> list[int]:
    return [byte + 3 for byte in data]


def id_lists(sp: spm.SentencePieceProcessor) -> list[list[int]]:
    """What a model might say: bytes that are not UTF-8, specials anywhere, spaces first.

    Never <unk>, which SentencePiece writes as " ⁇ " and Hugging Face skips.
    """
    rng = random.Random(11)
    broken = [
        "f09f", "f09f41", "e4bda0e4", "c080", "c1bf", "eda080", "edbfbf", "f4908080", "f5808080",
        "f0808080", "e08080", "ff", "fe80", "80", "8080", "c3", "c3a9c3", "e282", "f09f8c",
        "f09f8cb1", "efbfbd80", "f09f8cf09f8cb1",
    ]  # fmt: skip
    runs = [byte_ids(bytes.fromhex(run)) for run in broken]
    space, word = sp.piece_to_id("▁"), sp.piece_to_id("▁the")
    lists = [
        [],
        [BOS],
        [EOS],
        [BOS, EOS],
        [35],
        [35, space],
        [35, word],
        [space, word],
        [BOS, space, BOS, word],
    ]
    lists += [[i] for i in range(259, VOCAB)]
    for run in runs:
        lists += [run, run + [word], [word] + run, run + [space], [space] + run]
        lists += [[BOS] + run + [EOS], run[:1] + [BOS] + run[1:]]
    pools = [
        range(3, 259),
        range(259, VOCAB),
        range(1, VOCAB),
        [BOS, space, word, 35, 243, 162, 169, 156],
    ]
    lists += [
        [rng.choice(pool) for _ in range(rng.randrange(1, 14))] for pool in pools for _ in range(50)
    ]
    return lists


def vectors(model: bytes, legacy: Tokenizer, metaspace: Tokenizer) -> dict:
    """Ids of texts and texts of ids; `continuation`: without dummy prefix; `metaspace`, `hf`: only
    if different."""
    sp = spm.SentencePieceProcessor(model_proto=model)
    bare = spm.SentencePieceProcessor(model_proto=without_dummy_prefix(model))
    encode, decode = [], []
    for text in HOSTILE_TEXTS + random_texts():
        ids = sp.encode(text)
        assert plain(legacy).encode(text).ids == ids, text
        case = {"text": text, "ids": ids, "continuation": bare.encode(text)}
        spaced = plain(metaspace).encode(text).ids
        encode.append(case if spaced == ids else case | {"metaspace": spaced})
    for ids in id_lists(sp):
        case = {"ids": ids, "text": sp.decode(ids), "continuation": bare.decode(ids)}
        other = legacy.decode(ids, skip_special_tokens=True)
        decode.append(case if other == case["text"] else case | {"hf": other})
    return {
        "sentencepiece": spm.__version__,
        "tokenizers": tokenizers.__version__,
        "encode": encode,
        "decode": decode,
    }


def files() -> dict[str, bytes]:
    model = train()
    sp = spm.SentencePieceProcessor(model_proto=model)
    legacy, metaspace = hugging_face(sp, metaspace=False), hugging_face(sp, metaspace=True)
    lines = (
        json.dumps(vectors(model, legacy, metaspace))
        .replace('{"text"', '\n{"text"')
        .replace('{"ids"', '\n{"ids"')
    )
    return {
        "tokenizer.model": model,
        "tokenizer.json": legacy.to_str().encode(),
        "tokenizer-metaspace.json": metaspace.to_str().encode(),
        "vectors.json": (lines + "\n").encode(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a file would differ"
    )
    check = parser.parse_args().check
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, data in files().items():
        if check:
            assert (GOLDEN / name).read_bytes() == data, f"{name} differs"
        else:
            (GOLDEN / name).write_bytes(data)


if __name__ == "__main__":
    main()
