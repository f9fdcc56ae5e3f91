"""Writes golden/saved-tokenizers: the tokenizer of tiny-32k as `save_pretrained` of transformers 4
and 5 leaves it, and what each makes of the same texts.

Two environments, one for each version, both with sentencepiece and protobuf:

    .venv/bin/python reference/make_saved_tokenizers.py     # transformers 5, writes 5
    .venv4/bin/python reference/make_saved_tokenizers.py    # transformers 4, writes 4 and 5-again

The order matters: version 4 saves again what version 5 saved. All have what a fine-tune adds:
tokens that are words, tokens that are signs, with and without the white space around them. What
version 5 saves is in the rule of 2023 (`legacy` false), version 4's own in the older one.

`ids.json` has, by directory, the ids of each text, or the directory with the same ids. The texts
are made by a seeded generator from what tokenizers disagree about: spaces in runs and at the start,
"▁" itself, characters without a piece, special tokens spelled out and cut off.
"""

import json
import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import transformers
from manifest import add_to_manifest
from transformers import AddedToken, AutoTokenizer, PreTrainedTokenizerFast

ROOT = Path(__file__).parent.parent / "golden"
SOURCE = ROOT / "tiny-32k" / "tokenizer.model"
TARGET = ROOT / "saved-tokenizers"
MAJOR = transformers.__version__.split(".")[0]
TEXTS = 2000

ATOMS = (
    *(" ", "  ", "\n", "\t", "a", "e", "the", " the", "Hello", "▁", "▁▁", "é", "日本", "🦙", "👨‍👩‍👧"),
    *("\u0301", "\u200b", "x", "_", "1", "<s>", "</s>", "<unk>", "<0x41>", "<|im_start|>"),
    *("<|im_end|>", "[PAD]", "<tool>", "<to", "<tool>x", "word", "wordy", "\u3000", "\u00a0", "."),
    *(",", "-", "<s", "|>", "I am", "[INST]", "\r", "\x00", "ﬁ", "ß", "Ω", "\ufeff", "'s"),
)
RANGES = ((32, 126), (0xA0, 0x24F), (0x400, 0x4FF), (0x4E00, 0x4E80), (0x1F300, 0x1F5FF))


def texts(count: int) -> list[str]:
    rng = random.Random(32)

    def part() -> str:
        if rng.random() < 0.85:
            return rng.choice(ATOMS)
        return "".join(chr(rng.randint(*rng.choice(RANGES))) for _ in range(rng.randint(1, 3)))

    return ["".join(part() for _ in range(rng.randint(0, 9))) for _ in range(count)]


def original(directory: Path) -> Path:
    """A directory as the model is published: tokenizer.model, and what says its kind."""
    shutil.copy(SOURCE, directory)
    (directory / "config.json").write_text('{"model_type": "llama"}')
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    config |= {"tokenizer_class": "LlamaTokenizer", "legacy": MAJOR == "4"}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    return directory


def tuned(tokenizer):
    """The tokenizer with what a fine-tune adds."""
    tokenizer.add_tokens(
        [
            AddedToken("<tool>", normalized=False),
            AddedToken("word", single_word=True, normalized=True),
            AddedToken("I am", lstrip=True, rstrip=True, normalized=True),
        ]
    )
    several = "additional_special_tokens" if MAJOR == "4" else "extra_special_tokens"
    signs = ["<|im_start|>", AddedToken("<|im_end|>", rstrip=True)]
    padding = AddedToken("[PAD]", lstrip=True, rstrip=True, normalized=False, special=True)
    tokenizer.add_special_tokens({"pad_token": padding, several: signs})
    return tokenizer


def write(name: str, tokenizer, golden: dict) -> None:
    """Saves it, opens it again, and notes its ids."""
    target = TARGET / name
    shutil.rmtree(target, ignore_errors=True)
    tokenizer.save_pretrained(target)
    opened = PreTrainedTokenizerFast(tokenizer_file=str(target / "tokenizer.json"))
    encoded = opened(golden["texts"], add_special_tokens=False).input_ids
    ids = [" ".join(map(str, each)) for each in encoded]
    same = next((other for other, list_ in golden["ids"].items() if list_ == ids), None)
    golden["ids"][name] = same or ids


def main() -> None:
    file = TARGET / "ids.json"
    golden = json.loads(file.read_text()) if MAJOR == "4" else {"texts": texts(TEXTS), "ids": {}}
    golden["ids"] = {name: ids for name, ids in golden["ids"].items() if name.startswith("5")}
    with TemporaryDirectory() as directory:
        source = original(Path(directory))
        write(MAJOR, tuned(AutoTokenizer.from_pretrained(source)), golden)
    if MAJOR == "4":
        # Version 4 cannot read the list of extra_special_tokens that version 5 writes.
        again = AutoTokenizer.from_pretrained(TARGET / "5", extra_special_tokens={})
        write("5-again", again, golden)
    golden.setdefault("versions", {})[MAJOR] = transformers.__version__
    file.write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n")
    add_to_manifest(ROOT, "saved-tokenizers", "tokenizers saved by transformers; ids of texts")


if __name__ == "__main__":
    main()
