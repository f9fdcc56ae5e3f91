"""Golden values of the trained model: `python reference/train/replies.py golden/tiny-32k`.

greedy.json: 60 held-out prompts with what transformers replies in float32, the last of 30,000
tokens and with a right reply. Prompts with a step that is nearly a tie are left out, for there
another order of adding up may choose the other token. logits.safetensors: the tokens of that last
prompt, and the logits at some of its positions, in float32 and in float64.
"""

import argparse
import json
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random

import torch
from cases import (
    DOCUMENT_TOKENS,
    SEED,
    Case,
    by_length,
    drawn,
    examples,
    instructions,
    questions,
    summaries,
)
from conversation import BOS
from evaluate import Reader, open_reader
from foreign import foreign
from safetensors.torch import save_file
from small_talk import small_talk
from transformers import LlamaForCausalLM

sys.path.append(str(Path(__file__).parents[1]))
from tracing import in_float64  # noqa: E402

SMALLEST_MARGIN = 1e-2
"""Between the two best logits of any step, in standard deviations of them: float32 is ten times
nearer to the truth, at the worst of the positions of logits.safetensors."""
LOGITS_AT = [0, 1, 127, 511, 1023, 2047, 3071, 4095, 4096, 6000, 8191, 12000, 16383, 24000, 29000]
LONGEST = 30000
"""Tokens of the last prompt, whose answer is in the middle."""


def replies(reader: Reader) -> list[dict]:
    """11 examples, 16 other instructions, 8 summaries, 5 of small talk, 5 of what is foreign, 14
    questions about 20 to 50 documents and a longer one."""
    found = [reply_to(reader, case) for case in examples()]
    assert all(reply is not None and reply["reply"] == reply["wanted"] for reply in found), found
    tasks = [(instructions("test", 6), 16), (summaries("test", 60), 8)]
    tasks += [(drawn("small talk", small_talk, "test", 60), 5)]
    tasks += [(drawn("foreign", foreign, "test", 30), 5)]
    tasks += [
        (questions("test", documents, documents * DOCUMENT_TOKENS, 3, 10), count)
        for documents, count in ((20, 5), (30, 5), (50, 4))
    ]
    for cases, count in tasks:
        shown = {reply["prompt"] for reply in found}
        different = {case.prompt: case for case in cases if case.prompt not in shown}.values()
        shuffled = Random(SEED).sample(list(different), min(30, len(different)))
        found += islice(
            (reply for case in shuffled if (reply := reply_to(reader, case)) is not None), count
        )
    longest = (case for case in by_length("test", LONGEST, 2) if 0.3 < case.depth < 0.7)
    found.append(
        next(
            reply
            for case in longest
            if (reply := reply_to(reader, case)) is not None and reply["reply"] == reply["wanted"]
        )
    )
    assert len(found) == 60, len(found)
    return found


def reply_to(reader: Reader, case: Case) -> dict | None:
    """None if it is nearly a tie somewhere."""
    case = replace(case, shared="")  # at once, as other engines will compute it
    tokens = reader.reply(case)
    reply = reader.text_of(tokens)
    prompt = reader.prompt(case)
    with torch.no_grad():
        logits = reader.network(
            input_ids=torch.tensor([prompt + tokens]), logits_to_keep=len(tokens) + 1
        ).logits[0, :-1]
    best, second = logits.topk(2).values.unbind(1)
    if ((best - second) / logits.std(1)).min() < SMALLEST_MARGIN:
        return None
    return {
        "task": case.task,
        "prompt": case.prompt,
        "promptTokens": len(prompt),
        "wanted": case.wanted,
        "reply": reply,
        "tokens": tokens,
    }


def write_logits(reader: Reader, model: Path, prompt: list[int], out: Path) -> None:
    """In float32, and in float64: the truth, to which both float32 engines are compared."""
    tokens = torch.tensor(prompt)
    positions = torch.tensor(
        [*(position for position in LOGITS_AT if position < len(tokens) - 1), len(tokens) - 1]
    )

    def logits(network: LlamaForCausalLM) -> torch.Tensor:
        with torch.no_grad():
            return network.lm_head(
                network.model(input_ids=tokens[None]).last_hidden_state[0, positions]
            )

    with in_float64():
        truth = logits(
            LlamaForCausalLM.from_pretrained(model, dtype=torch.float64, attn_implementation="sdpa")
        )
    tensors = {
        "tokens": tokens,
        "positions": positions,
        "logits": logits(reader.network),
        "truth": truth,
    }
    save_file(tensors, out, metadata={"format": "pt"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    model = parser.parse_args().model
    reader = open_reader(model)
    found = replies(reader)
    lines = ",\n".join(json.dumps(reply) for reply in found)
    (model / "greedy.json").write_text(f"[\n{lines}\n]\n")
    prompt = [BOS, *reader.tokenizer.encode(found[-1]["prompt"])]
    write_logits(reader, model, prompt, model / "logits.safetensors")
