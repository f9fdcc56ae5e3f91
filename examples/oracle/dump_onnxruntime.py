"""What onnxruntime computes of a text: logits after every token.

python dump_onnxruntime.py model.onnx tokens.txt theirs.npz [HEAD_SIZE]

tokens.txt has ids as `llama-32k tokenize` prints them. The model has the inputs that exporters of
Hugging Face's models give it: input_ids, and as far as it wants them attention_mask, position_ids
and empty past_key_values; their head size is needed where the model has only a name for it, as
those of onnxruntime-genai's builder do.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime

DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def empty_past(wanted: onnxruntime.NodeArg, head_size: int) -> np.ndarray:
    """Keys or values [1, K, 0, d] of no token."""
    _, heads, _, size = wanted.shape
    shape = [1, heads, 0, size if isinstance(size, int) else head_size]
    return np.zeros(shape, DTYPES[wanted.type])


def main(path: str, tokens: str, out: str, head_size: str = "0") -> None:
    """Load, run once, save."""
    ids = np.array([int(id) for id in Path(tokens).read_text().split(",")])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {
        "input_ids": ids[None],
        "attention_mask": np.ones_like(ids)[None],
        "position_ids": np.arange(len(ids))[None],
    }
    inputs = {
        each.name: given[each.name] if each.name in given else empty_past(each, int(head_size))
        for each in session.get_inputs()
    }
    (logits,) = session.run(["logits"], inputs)
    np.savez(out, tokens=ids, logits=logits[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
