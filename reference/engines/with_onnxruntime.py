"""Logits of onnxruntime. --variant: export, transformers' graph as torch exports it; or genai,
the graph of onnxruntime-genai's model builder, where attention and norms are single operations.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import transformers

import dump
from export_onnx import export

TOKENIZER = Path(__file__).parents[2] / "golden/conformance/tokenizer/tokenizer.model"
PRECISIONS = {"f32": "fp32", "f16": "fp16", "bf16": "bf16"}


def compute(arguments):
    directory = Path(tempfile.mkdtemp(prefix="onnx-"))
    build = {"export": export, "genai": build_genai}[arguments.variant]
    path = build(arguments.model, directory, arguments.type)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    head_dim = transformers.LlamaConfig.from_pretrained(arguments.model).head_dim
    feeds = {x.name: feed(x, arguments.tokens, head_dim) for x in session.get_inputs()}
    return session.run(["logits"], feeds)[0][0]


def feed(given, tokens, head_dim):
    """Ids, a mask of ones, or an empty cache."""
    if given.name == "input_ids":
        return np.array([tokens], np.int64)
    if given.name == "attention_mask":
        return np.ones((1, len(tokens)), np.int64)
    if given.name == "position_ids":
        return np.arange(len(tokens))[None]
    _, heads, _, _ = given.shape  # the last may be a name
    return np.zeros((1, heads, 0, head_dim), np.float16 if "16" in given.type else np.float32)


def build_genai(model, directory, kind):
    """The builder does not work without a tokenizer, though it has no use for one."""
    model = shutil.copytree(model, directory / "model")
    shutil.copy(TOKENIZER, model)
    builder = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
    places = ["-i", model, "-o", directory, "-c", directory / "cache"]
    subprocess.run([*builder, *places, "-p", PRECISIONS[kind], "-e", "cpu"], check=True)
    return directory / "model.onnx"


dump.main(compute)
