"""Logits of tinygrad's own Llama (tinygrad.llm), of a GGUF file. --type says what its weights are
cast to: f16, its default, or f32; it computes in float32. Where there is no clang it compiles by
LLVM: DEV=CPU:LLVM LLVM_PATH=…/libLLVM.so."""

import os
import sys

os.environ["HALF"] = "1" if sys.argv[sys.argv.index("--type") + 1] == "f16" else "0"

from tinygrad import Tensor
from tinygrad.llm.model import Transformer

import dump  # the variable is read when tinygrad is loaded


def compute(arguments):
    model, _ = Transformer.from_gguf(arguments.model, max_context=len(arguments.tokens))
    x = model.token_embd(Tensor([arguments.tokens])).float()  # as its forward does, for all rows
    for block in model.blk:
        x = block(x, 0)
    return model.output(model.output_norm(x))[0].float().numpy()


dump.main(compute)
