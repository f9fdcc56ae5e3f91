"""Right answers on held-out data: `python reference/train/evaluate.py MODEL --out FILE.jsonl
[--factor 1] [--split validation]`.

Writes a line for every case: task, prompt, what is wanted, the reply of transformers (greedy,
float32), and which part of it is right. `bench/answers.ts` asks the same of our engine. Questions
about the same documents share the cache of keys and values up to where they begin, which gives the
tokens that asking each by itself would.
"""

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from pathlib import Path

import sentencepiece as spm
import torch
from cases import (
    DOCUMENT_TOKENS,
    Case,
    by_length,
    drawn,
    examples,
    instructions,
    part_right,
    questions,
    summaries,
)
from conversation import BOS, EOS, after_newline
from foreign import REPLY, foreign
from network import with_factor
from small_talk import small_talk
from transformers import DynamicCache, LlamaForCausalLM

CHUNK = 1024
LENGTHS = [1000, 2000, 4000, 8000, 16000, 30000]


class Reader:
    """A model with one text in its cache."""

    def __init__(self, network: LlamaForCausalLM, tokenizer: spm.SentencePieceProcessor) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.text: str | None = None
        self.cache = DynamicCache()

    def reply(self, case: Case) -> list[int]:
        """The tokens after the prompt, up to the end of text or to 8 more than are wanted."""
        if case.shared == "" or case.shared != self.text:
            self.text, self.cache = case.shared, DynamicCache()
            if case.shared:
                self._read([BOS, *self.tokenizer.encode(case.shared)])
        length = self.cache.get_seq_length()
        logits = self._read(
            after_newline(case.prompt[len(case.shared) :], self.tokenizer)
            if case.shared
            else self.prompt(case)
        )
        new: list[int] = []
        most = len(self.tokenizer.encode(case.wanted)) + 8
        while len(new) < most:
            new.append(int(logits.argmax()))
            if new[-1] == EOS:
                break
            logits = self._read([new[-1]])
        self.cache.crop(length - self.cache.get_seq_length())
        return new

    def prompt(self, case: Case) -> list[int]:
        return [BOS, *self.tokenizer.encode(case.prompt)]

    def text_of(self, tokens: list[int]) -> str:
        return self.tokenizer.decode([token for token in tokens if token != EOS])

    def _read(self, tokens: list[int]) -> torch.Tensor:
        """The logits after the last of `tokens`."""
        with torch.no_grad():
            for i in range(0, len(tokens), CHUNK):
                ids = torch.tensor([tokens[i : i + CHUNK]])
                logits = self.network(
                    input_ids=ids, past_key_values=self.cache, use_cache=True, logits_to_keep=1
                ).logits
        return logits[0, -1]


def open_reader(model: Path, factor: float | None = None) -> Reader:
    """With the factor in its config.json, unless another is given."""
    tokenizer = spm.SentencePieceProcessor(model_file=str(model / "tokenizer.model"))
    network = LlamaForCausalLM.from_pretrained(
        model, dtype=torch.float32, attn_implementation="sdpa"
    )
    return Reader((network if factor is None else with_factor(network, factor)).eval(), tokenizer)


def tasks(split: str, count: int) -> Iterable[Case]:
    tables = [examples(), instructions(split, count), summaries(split, count)]
    tables += [
        drawn("small talk", small_talk, split, 4 * count),
        drawn("foreign", foreign, split, 10 * count),
    ]
    tables += [
        questions(split, documents, documents * DOCUMENT_TOKENS, count // 10, 10)
        for documents in (20, 30, 50)
    ]
    return chain(*tables)


def answers(reader: Reader, cases: Iterable[Case]) -> Iterator[dict]:
    for case in cases:
        reply = reader.text_of(reader.reply(case))
        yield {
            "task": case.task,
            "by": case.by,
            "length": case.length,
            "depth": case.depth,
            "tokens": len(reader.prompt(case)),
            "shared": len(case.shared),
            "prompt": case.prompt,
            "wanted": case.wanted,
            "reply": reply,
            "right": part_right(reply, case),
            "exact": reply == case.wanted,
            "refused": reply == REPLY,
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--factor", type=float)
    parser.add_argument("--split", default="test")
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--texts", type=int, default=2)
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)))
    parser.add_argument(
        "--only-lengths", action="store_true", help="no tasks but questions by length and depth"
    )
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    reader = open_reader(arguments.model, arguments.factor)
    lengths = [int(length) for length in arguments.lengths.split(",") if length]
    cases = chain.from_iterable(
        by_length(arguments.split, tokens, arguments.texts) for tokens in lengths
    )
    if not arguments.only_lengths:
        cases = chain(tasks(arguments.split, arguments.cases), cases)
    began = time.time()
    with arguments.out.open("w") as file:
        for (by, task, length), group in groupby(
            answers(reader, cases),
            key=lambda answer: (answer["by"], answer["task"], answer["length"]),
        ):
            made = []
            for answer in group:
                made.append(answer)
                file.write(json.dumps(answer) + "\n")
            right, exact, refused = (
                sum(answer[key] for answer in made) / len(made)
                for key in ("right", "exact", "refused")
            )
            print(
                f"{by:8} {task:28} {length or '':>6} {right:.3f} of {len(made)}, to the letter"
                f" {exact:.3f}, refused {refused:.3f}, {time.time() - began:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
