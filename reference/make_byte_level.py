"""Writes golden/byte-level: small byte-level tokenizers, trained here with Hugging Face's
`tokenizers`, and what it makes of 20,000 texts and of 4,000 lists of ids.

    .venv/bin/python reference/make_byte_level.py

The forms are those of published models: GPT-2 (`ByteLevel` alone), SmolLM2 (`Digits` before it;
bytes that its data did not have are no pieces), Llama 3 (`Split` by a regular expression, pieces
that no merge makes, `ignore_merges`), DeepSeek (several `Split`s); and one that has all the rest:
NFC, every behaviour of `Split`, inverted too, a space in front, an unknown piece, added tokens that
are words, with the white space around them or only by themselves.

`NAME.json` is the tokenizer. `expected.json` says how the texts are made (`Generator`, which the
tests have in TypeScript), and has for each tokenizer the ids of the first texts, which are written
out, and hashes of the ids of 200 texts each; the same of the texts that lists of ids become, with
special tokens and without. `splits.json` has what single patterns cut. No character is younger than
Unicode 14: others are letters to one version of Unicode and not to another.
"""

import hashlib
import json
from pathlib import Path

from manifest import add_to_manifest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers as pre
from tokenizers import processors, trainers

TARGET = Path(__file__).parent.parent / "golden" / "byte-level"
TEXTS, LISTS, BLOCK, SHOWN = 20_000, 4_000, 200, 100
SEED = 20260

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CORPUS = [
    "The quick brown fox jumps over the lazy dog, and the dog doesn't mind: it's asleep.",
    "I'm sure they'll say we've seen nothing like this since 1984 (or 2001, if you're young).",
    "def main(argv):\n    for i in range(10):\n        print(i, '\\t', i ** 2)\n    return 0\n",
    "Der schnelle braune Fuchs springt über den faulen Hund; größer, schöner, weiter.",
    "Le cœur a ses raisons que la raison ne connaît point. Ça va? Déjà vu, naïve façade.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Ταχίστη αλώπηξ βαφής ψημένη γη, δρασκελίζει υπέρ νωθρού κυνός.",
    "我能吞下玻璃而不伤身体。今天天气很好,我们去公园吧。",
    "いろはにほへと ちりぬるを。カタカナも少し。",
    "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.",
    "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر.",
    "दस लाख लोग नदी के किनारे रहते हैं। เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",
    "🦙🦙 ❤️ 👨‍👩‍👧 → ≤ ≥ ≠ ½ ² № € 12345 67.89 0x7f  \n\n\t\t  \r\n",
]

ATOMS = [
    *(" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\r", "\x0b", "\x0c", "\x00", "\x7f"),
    *("\x85", "\xa0", "\u2028", "\u3000", "\u200b", "\ufeff", "\u200d", "\ufe0f", "\ufffd"),
    *("the", " the", "The", "dog", "it's", "I'm", "'s", "'S", "'ll", "'LL", "’s", "'ſ", "'"),
    *("doesn't", "1", "12", "123", "1234567", "٣٤", "½", "Ⅷ", "x=y+2;", "...", ",", "-", "--"),
    *("e\u0301", "é", "u\u0308", "\u0301", "ﬁ", "ß", "ſ", "\u212a", "\u212b", "\uac01"),
    *("\u1100\u1161\u11a8", "\u1100\u1161"),
    *("мягких", "κυνός", "玻璃", "今天", "カタカナ", "입술", "حكيم", "नदी", "มนุษย์", "🦙", "👨‍👩‍👧"),
    *("𝕏", "𐍈", "𠀀", "\U000e0041", "\U0010fffd", "_", "|", "<", ">", "<|end|>", "<|start|>"),
    *("<|end", "|>", "<tool>", "word", "words", "I am", "[PAD]", "Ġ", "Ċ", "▁", "<0x41>", "#"),
]
RANGES = [
    *((0x00, 0x7E), (0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x391, 0x3C9), (0x400, 0x4FF)),
    *((0x5D0, 0x5EA), (0x620, 0x669), (0x905, 0x939), (0xE01, 0xE3A), (0x10D0, 0x10FF)),
    *((0x1E00, 0x1EFF), (0x2000, 0x206F), (0x2190, 0x23FF), (0x3041, 0x30FF), (0x4E00, 0x9FA5)),
    *((0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xFB00, 0xFB06), (0xFF01, 0xFF9F), (0x1D400, 0x1D454)),
    *((0x1F300, 0x1F5FF), (0x20000, 0x200FF), (0x100000, 0x1000FF)),
]
LETTERS = "etaoin shrdlu\nETA'"


class Generator:
    """Texts from xorshift32 (Marsaglia, J. Stat. Softw. 8(14), 2003)."""

    def __init__(self, seed: int):
        self.state = seed

    def below(self, limit: int) -> int:
        x = self.state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.state = x
        return x % limit

    def part(self) -> str:
        kind = self.below(20)
        if kind < 10:
            return ATOMS[self.below(len(ATOMS))]
        if kind < 12:
            return ATOMS[self.below(len(ATOMS))] * (1 + self.below(20))
        if kind < 15:
            return "".join(LETTERS[self.below(len(LETTERS))] for _ in range(1 + self.below(20)))
        first, last = RANGES[self.below(len(RANGES))]
        length = 1 + self.below(5)
        return "".join(chr(first + self.below(last - first + 1)) for _ in range(length))

    def text(self, index: int) -> str:
        """One text in 500 is long."""
        parts = 300 if index % 500 == 499 else self.below(9)
        return "".join(self.part() for _ in range(parts))

    def ids(self, count: int) -> list[int]:
        return [self.below(count) for _ in range(self.below(12))]


def trained(tokenizer: Tokenizer, size: int, alphabet: bool, specials: list[str]) -> Tokenizer:
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        special_tokens=specials,
        initial_alphabet=pre.ByteLevel.alphabet() if alphabet else [],
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def gpt2() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre.ByteLevel(add_prefix_space=False)
    trained(tokenizer, 600, True, ["<|end|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def smollm2() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    digits = pre.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre.Sequence([digits, pre.ByteLevel(add_prefix_space=False)])
    return trained(tokenizer, 600, False, ["<|end|>", "<|start|>"])


def without_some_merges(tokenizer: Tokenizer) -> Tokenizer:
    """Every fifth merge that no other needs is taken away, and its piece stays."""
    file = json.loads(tokenizer.to_str())
    model = file["model"]
    needed = {part for merge in model["merges"] for part in merge}
    free = [merge for merge in model["merges"] if "".join(merge) not in needed]
    taken = free[::5]
    model["merges"] = [merge for merge in model["merges"] if merge not in taken]
    model["ignore_merges"] = True
    return Tokenizer.from_str(json.dumps(file))


def llama3() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    split = pre.Split(Regex(LLAMA3), "isolated")
    bytes_ = pre.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre.Sequence([split, bytes_])
    tokenizer = without_some_merges(trained(tokenizer, 700, True, []))
    tokenizer.add_special_tokens(["<|start|>", "<|end|>"])
    start = ("<|start|>", tokenizer.token_to_id("<|start|>"))
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(single="<|start|> $A", special_tokens=[start]),
        ]
    )
    return tokenizer


def deepseek() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    patterns = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+")
    splits = [pre.Split(Regex(pattern), "isolated") for pattern in patterns]
    digits = pre.Digits(individual_digits=True)
    bytes_ = pre.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre.Sequence([*splits, digits, bytes_])
    return trained(tokenizer, 600, True, ["<|end|>"])


def rest() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=True))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre.Sequence(
        [
            pre.Split("#", "removed"),
            pre.Split("...", "merged_with_previous"),
            pre.Split(Regex(r"\p{Lu}++"), "merged_with_next"),
            pre.Split(Regex(r"(?>\n+)(?=\S)|[,;]"), "contiguous"),
            pre.Split(Regex(r"[^\S\n]{2,}+|\s+$"), "isolated", invert=True),
            pre.Split(Regex(r"'(?i:[st]|ll)|(?<=\d)\.(?=\d)"), "isolated"),
            pre.Digits(individual_digits=False),
            pre.ByteLevel(add_prefix_space=True, use_regex=True),
        ]
    )
    trained(tokenizer, 600, False, ["[UNK]", "<|end|>"])
    tokenizer.add_tokens(
        [
            AddedToken("<tool>", normalized=False),
            AddedToken("word", single_word=True, normalized=True),
            AddedToken("I am", lstrip=True, rstrip=True, normalized=True),
            AddedToken("\u1100\u1161\u11a8", normalized=True),  # NFC makes one character of it
        ]
    )
    tokenizer.add_special_tokens([AddedToken("[PAD]", lstrip=True, rstrip=True, normalized=False)])
    return tokenizer


CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
PATTERNS = [
    *(LLAMA3, CL100K, r"\p{N}{1,3}+", r"\p{N}{1,3}", r"\s+$", r"\d+", r"\D", r"\s", r"\S"),
    *(r"[^\S\n]+", r"[\S\n]+", r".", r".+", r"e{2}", r"e{,2}", r"e{1,}", r"e?", r"e+?"),
    *(r"e*?t", r"(?>e+)e", r"e*+e", r"e?+e", r"(e|t)+", r"(?:e|t){2}x{", r"(?i:s)", r"(?i:k)"),
    *(r"(?i:it's)", r"'(?i:[sdmt])", r"\p{^L}", r"\P{L}", r"\P{^L}", r"\p{Lu}\p{Ll}*"),
    *(r"\p{Han}+", r"[\p{Hiragana}\p{Katakana}]+", r"[a-c\-e-]+", r"[-'.]+", r"[\]\[.]"),
    *(r"[a[bt]]+", r"[^[a-t]]+", r"\x41|\x{1F999}|\u0065", r"[\x{1F300}-\x{1F9FF}]"),
    *(r"\t|\n|\v|\f|\r|\a|\e", r"\.|\||\-|/", r"(?<=e)t|(?<!e) ", r"t(?=h)|h(?!e)"),
    *(r"[|.,!?()\s]+", r"", r"(?=e)", r"$", r"~|`|#|@|!"),
]
SPLIT_TEXTS = [
    "The tree's  trees, it'S IT'S 'ſ see 1234567 K K ٣٤½\n\n  next\r\n\tline  \n",
    "a-b.c|d [e] eee eeetea 🦙🌱 漢字かなカナ Ǆ é e\u0301 \x0b\x0c\x07\x1b\x85\xa0\u2028\ufeff",
    "x{2} ~`#@!/",
    "",
    " ",
    "\n",
    "ee\n ee \n",
]
BEHAVIORS = ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"]


def parts_of(pattern: str, behavior: str, invert: bool, text: str) -> list[str]:
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in behavior)[1:]
    split = pre.Split(Regex(pattern), snake, invert)
    return [part for part, _ in split.pre_tokenize_str(text)]


def splits() -> dict:
    """What each pattern and behaviour makes of the texts."""
    patterns = {p: [parts_of(p, "Isolated", False, t) for t in SPLIT_TEXTS] for p in PATTERNS}
    combined = [
        {"pattern": p, "behavior": b, "invert": i}
        | {"parts": [parts_of(p, b, i, text) for text in SPLIT_TEXTS]}
        for p in (r"e", r"\s+", r"e?", r"[a-z]+")
        for b in BEHAVIORS
        for i in (False, True)
    ]
    return {"texts": SPLIT_TEXTS, "patterns": patterns, "combined": combined}


def block_hashes(values: list) -> list[str]:
    """Of `BLOCK` each, as JSON."""
    blocks = [values[i : i + BLOCK] for i in range(0, len(values), BLOCK)]
    texts = [json.dumps(block, ensure_ascii=False, separators=(",", ":")) for block in blocks]
    return [hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts]


def expected(tokenizer: Tokenizer, texts: list[str], lists: list[list[int]]) -> dict:
    ids = [each.ids for each in tokenizer.encode_batch(texts, add_special_tokens=False)]
    count = tokenizer.get_vocab_size()
    inside = [[id_ % count for id_ in each] for each in lists]
    return {
        "ids": [" ".join(map(str, each)) for each in ids[:SHOWN]],
        "encoded": block_hashes(ids),
        "decoded": block_hashes([tokenizer.decode(each) for each in inside]),
        "decodedWithSpecial": block_hashes(
            [tokenizer.decode(each, skip_special_tokens=False) for each in inside]
        ),
        "ofTexts": block_hashes([tokenizer.decode(each) for each in ids]),
    }


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    generator = Generator(SEED)
    texts = [generator.text(i) for i in range(TEXTS)]
    lists = [generator.ids(1 << 16) for _ in range(LISTS)]
    golden = {"seed": SEED, "atoms": ATOMS, "ranges": RANGES, "letters": LETTERS}
    golden |= {"texts": TEXTS, "lists": LISTS, "block": BLOCK, "tokenizers": {}}
    for make in (gpt2, smollm2, llama3, deepseek, rest):
        tokenizer = make()
        file = TARGET / f"{make.__name__}.json"
        file.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False) + "\n")
        golden["tokenizers"][make.__name__] = expected(tokenizer, texts, lists)
    file = TARGET / "expected.json"
    file.write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n")
    file = TARGET / "splits.json"
    file.write_text(json.dumps(splits(), ensure_ascii=False, indent=0) + "\n")
    add_to_manifest(TARGET.parent, "byte-level", "byte-level tokenizers; ids of texts")


if __name__ == "__main__":
    main()
