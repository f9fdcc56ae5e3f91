"""What llama.cpp computes of a text, by llama-cpp-python: logits after every token.

python dump_llama_cpp_python.py model.gguf tokens.txt theirs.npz

tokens.txt has ids as `llama-32k tokenize` prints them. logits_all keeps those of every position:
4 bytes times the size of the vocabulary times the context. The cache is float32, so that the type
of the file is all that is rounded to; without that it is float16.
"""

import sys
from pathlib import Path

import numpy as np
from llama_cpp import GGML_TYPE_F32, Llama


def main(path: str, tokens: str, out: str) -> None:
    """Load, run once, save."""
    ids = [int(id) for id in Path(tokens).read_text().split(",")]
    cache = {"type_k": GGML_TYPE_F32, "type_v": GGML_TYPE_F32}
    llama = Llama(path, n_ctx=len(ids), logits_all=True, verbose=False, **cache)
    llama.eval(ids)
    np.savez(out, tokens=np.array(ids), logits=llama.scores[: len(ids)])


if __name__ == "__main__":
    main(*sys.argv[1:])
