"""pytest: your engine computes this model.

MODEL=… [THEIR_TYPE=bf16] pytest test_conformance.py

Put your engine in the place of `theirs`. MODEL is a directory, a GGUF file or a name of the hub.
Needs Node 20.19 or newer.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

MODEL = os.environ["MODEL"]
THEIR_TYPE = os.environ.get("THEIR_TYPE", "f32")
TEXT = "Which of these is an animal: bells, hare, flute?"


def llama_32k(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    """What it prints; other exit codes than `codes` are errors."""
    command = ["npx", "--yes", "llama-32k", *arguments, "--model", MODEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in codes, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def tokens() -> list[int]:
    """Begin with BOS."""
    return json.loads(llama_32k("tokenize", "--bos", "--json", TEXT))["ids"]


def theirs(tokens: list[int]) -> np.ndarray:
    """Your logits, [T, V]: here those of transformers."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0].numpy()


def test_logits(tokens: list[int], tmp_path: Path) -> None:
    """Exit code 0 conforms, 5 differs; any other, as of a wrong option, is no answer."""
    file = tmp_path / "theirs.npz"
    np.savez(file, tokens=np.array(tokens), logits=theirs(tokens))
    options = ["--their-type", THEIR_TYPE, "--json"]
    result = json.loads(llama_32k("compare", str(file), *options, codes=(0, 5)))
    likeliest = [f"{each['id']}: {each['fix']}" for each in result["diagnosis"][:1]]
    place = result["firstDivergence"]
    assert result["verdict"] in ("EXACT", "WITHIN_BUDGET", "TIE_FLIP"), (place, likeliest)
