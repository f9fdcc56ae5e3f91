"""Right answers on held-out data, by task, length and depth: `python reference/train/evaluate.py MODEL --out FILE [--factor 1] [--split validation]`.

A reply is greedy, up to its end, and right if it is the expected one to the letter; of a summary counts which part of its lines is. Questions about the same
documents share the cache of keys and values up to where they begin, which gives the tokens that asking each by itself would.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import sentencepiece as spm
import torch
from conversation import BOS, EOS, Conversation, after_newline, prompt_of
from documents import Size, conversation_about
from instructions import INSTRUCTIONS
from network import FACTOR, with_factor
from stories import story
from transformers import DynamicCache, LlamaForCausalLM

SEED = 4096
SENTENCE_TOKENS = 10.5
"""With its share of titles."""
FACTS = 4
DOCUMENT_TOKENS = 150
CHUNK = 2048
LENGTHS = [1000, 2000, 4000, 8000, 16000, 30000]
DEPTHS = 10


class Reader:
    """A model with one text in its cache."""

    def __init__(self, network: LlamaForCausalLM, tokenizer: spm.SentencePieceProcessor) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.text = ""
        self.cache = DynamicCache()

    def reply(self, conversation: Conversation, shared: str = "") -> str:
        """`shared`: how the prompt begins, up to a newline; it is read once for all that begin so."""
        prompt = prompt_of(conversation)
        assert prompt.startswith(shared)
        if shared == "" or shared != self.text:
            self.text, self.cache = shared, DynamicCache()
            self._read([BOS, *self.tokenizer.encode(shared)] if shared else [BOS])
        length = self.cache.get_seq_length()
        rest = after_newline(prompt[len(shared) :], self.tokenizer) if shared else self.tokenizer.encode(prompt)
        logits = self._read(rest)
        new: list[int] = []
        most = len(self.tokenizer.encode(conversation[-1].reply)) + 8
        while len(new) < most and (token := int(logits.argmax())) != EOS:
            new.append(token)
            logits = self._read([token])
        self.cache.crop(length - self.cache.get_seq_length())
        return self.tokenizer.decode(new)

    def _read(self, tokens: list[int]) -> torch.Tensor:
        """The logits after the last of `tokens`."""
        with torch.no_grad():
            for i in range(0, len(tokens), CHUNK):
                ids = torch.tensor([tokens[i : i + CHUNK]])
                logits = self.network(input_ids=ids, past_key_values=self.cache, use_cache=True, logits_to_keep=1).logits
        return logits[0, -1]


def part_right(reply: str, conversation: Conversation) -> float:
    """1 or 0, or of several lines which part is right."""
    wanted, got = conversation[-1].reply.split("\n"), reply.split("\n")
    return sum(line in got for line in wanted) / len(wanted)


def size_of(documents: int, tokens: int) -> Size:
    return Size(documents, FACTS, max(1, round(tokens / documents / SENTENCE_TOKENS - FACTS - 1.5)), 1)


def about_documents(documents: int, tokens: int, count: int, split: str, name: str) -> Iterator[tuple[Conversation, str, float]]:
    """`count` questions about the same documents, spread evenly over them: each conversation, what it shares with the others, and how deep the answer is."""
    for i in range(count):
        depth = (i + 0.5) / count
        # The documents come from the same random numbers every time; only the question is another.
        conversation = conversation_about(size_of(documents, tokens), split, Random(f"{SEED} {name}"), [int(depth * documents)])
        shared = conversation[0].instruction.rsplit("\n\n", 1)[0]
        yield conversation, f"[INST]\n{shared}\n", depth


def mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def tasks(reader: Reader, split: str, cases: int) -> dict[str, float]:
    """The table of the model card."""
    results: dict[str, float] = {}
    for documents in (20, 30, 50):
        right = []
        for text in range(cases // 10):
            for conversation, shared, _ in about_documents(documents, documents * DOCUMENT_TOKENS, 10, split, f"{documents} {text}"):
                right.append(part_right(reader.reply(conversation, shared), conversation))
        results[f"{documents} documents"] = mean(right)
    stories = [story(2 + i % 11, 3 + i % 13, split, Random(f"{SEED} story {i}")) for i in range(cases)]
    results["summaries"] = mean([part_right(reader.reply(case), case) for case in stories])
    for kind in INSTRUCTIONS:
        some = [kind(split, Random(f"{SEED} {kind.__name__} {i}")) for i in range(cases)]
        results[f"instruction: {kind.__name__}"] = mean([part_right(reader.reply(case), case) for case in some])
    return results


def depths(reader: Reader, split: str, texts: int, lengths: list[int]) -> dict[int, list[float]]:
    """For each length, right answers by depth, in tenths."""
    table = {}
    for tokens in lengths:
        documents = min(200, max(5, tokens // DOCUMENT_TOKENS))
        tenths: list[list[float]] = [[] for _ in range(DEPTHS)]
        for text in range(texts):
            for conversation, shared, depth in about_documents(documents, tokens, 2 * DEPTHS, split, f"depth {tokens} {text}"):
                tenths[int(depth * DEPTHS)].append(part_right(reader.reply(conversation, shared), conversation))
        table[tokens] = [mean(tenth) for tenth in tenths]
        print(tokens, table[tokens], flush=True)
    return table


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--factor", type=float, default=FACTOR)
    parser.add_argument("--split", default="test")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--texts", type=int, default=3)
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    tokenizer = spm.SentencePieceProcessor(model_file=str(arguments.model / "tokenizer.model"))
    network = LlamaForCausalLM.from_pretrained(arguments.model, dtype=torch.float32, attn_implementation="sdpa")
    reader = Reader(with_factor(network, arguments.factor).eval(), tokenizer)
    results = {"tasks": tasks(reader, arguments.split, arguments.cases)}
    print(json.dumps(results, indent=2), flush=True)
    lengths = [int(length) for length in arguments.lengths.split(",") if length]
    results["depths"] = depths(reader, arguments.split, arguments.texts, lengths)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
