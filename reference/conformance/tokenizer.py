"""Texts and their ids, by SentencePiece, with the tokenizer of tiny-32k."""

import shutil
from pathlib import Path

from conformance.pack import Pack
from models import write_cases
from sentencepiece import SentencePieceProcessor

MODEL = "tokenizer/tokenizer.model"
VECTORS = "tokenizer/vectors.json"
TEXTS = [
    "",
    "Hello",
    "Hello world",
    "Hello, world!",
    "The cat sat on the mat.",
    "the",
    "This is a test.",
    "don't won't it's",
    "naïve café façade",
    "ALL CAPITALS",
    "camelCase snake_case kebab-case",
    "[INST] Who are you? [/INST]",
    # Spaces: one is put before the text, and each that is there stays.
    " ",
    "  ",
    "   ",
    "        ",
    " leading",
    "  two leading",
    "trailing ",
    "trailing  ",
    "a  b   c    d",
    " a b ",
    "▁",
    "a▁b",
    "no\u00a0break",
    "wide\u3000space",
    # Lines.
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "line one\nline two",
    "line one\n\n line two\n",
    "\n leading line",
    "def f(x):\n    return x\n",
    # Numbers and signs.
    "0",
    "1234567890",
    "3.14159",
    "1,000,000",
    "-1",
    "a1b2c3",
    "!?.,;:",
    "((()))",
    "a+b=c",
    # Letters that have no piece: their bytes.
    "é",
    "e\u0301",
    "ß",
    "Ω≈ç√",
    "日本語",
    "中文 字",
    "한국어",
    "العربية",
    "हिन्दी",
    "🙂",
    "👨‍👩‍👧",
    "a🦙b",
    "\U0010ffff",
    "\ufeffbom",
    # What looks like a special token is text.
    "<s>",
    "</s>",
    "a</s>b",
    "<unk>",
    "<0x41>",
    # Control characters.
    "\x00",
    "a\x00b",
    "\x01\x02\x7f",
    "\u0080",
    "aaaaaaaaaaaaaaaa",
]


def add_tokenizer(pack: Pack, golden: Path) -> None:
    shutil.copyfile(golden / "tiny-32k" / "tokenizer.model", pack.path(MODEL))
    pack.add(MODEL, "the tokenizer of tiny-32k", "SentencePiece")
    sp = SentencePieceProcessor(str(pack.path(MODEL)))
    cases = [{"text": text, "ids": sp.encode(text)} for text in TEXTS]
    assert all(sp.decode(case["ids"]) == case["text"].replace("▁", " ") for case in cases)
    head = {
        "model": MODEL,
        "note": "ids without BOS; nothing in a text is a special token; decoded, ids are the text, "
        "with a space for every ▁",
    }
    write_cases(pack.path(VECTORS), cases, **head)
    pack.add(VECTORS, "texts and their ids", "SentencePiece")
