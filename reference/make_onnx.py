"""SmolLM2-135M-Instruct as the ONNX files that transformers.js runs, for bench/peers: the same
numbers as the GGUF file has, in the forms that it calls q4 and q8.

`make_onnx.py SmolLM2-135M-Instruct.Q4_1.gguf DIRECTORY` needs onnx, onnxruntime and
onnxruntime-genai besides. The graph, with attention as one operation, is that of the model builder
of onnxruntime-genai.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from gguf import GGUFReader
from onnxruntime.quantization import QuantType, quantize_dynamic
from smollm2 import save

HEAD_DIM = "kv_cache_dim"
"""The builder's name for it. transformers.js makes an empty cache of the shapes of the inputs, and
takes what is named there for 0."""


def build(directory: Path, out: Path, precision: str) -> Path:
    """The model in `directory` as ONNX."""
    places = ["-i", directory, "-o", out, "-c", out / "cache"]
    builder = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
    subprocess.run([*builder, *places, "-p", precision, "-e", "cpu"], check=True)
    return out / "model.onnx"


def tell_head_dim(path: Path, head_dim: int) -> None:
    """Write the number where only its name stands."""
    model = onnx.load(path)
    for value in [*model.graph.input, *model.graph.output]:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param == HEAD_DIM:
                size.dim_value = head_dim
    onnx.save(model, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    reader = GGUFReader(arguments.gguf)
    head_dim = reader.fields["llama.rope.dimension_count"].contents()
    out = arguments.directory / "onnx"
    out.mkdir(parents=True, exist_ok=True)
    save(reader, arguments.directory)
    with TemporaryDirectory() as work:
        int4 = build(arguments.directory, Path(work) / "int4", "int4")
        onnx.save(onnx.load(int4), out / "model_q4.onnx")
        float32 = build(arguments.directory, Path(work) / "float32", "fp32")
        quantized = out / "model_quantized.onnx"
        quantize_dynamic(float32, quantized, weight_type=QuantType.QInt8)
    for path in out.glob("*.onnx"):
        tell_head_dim(path, head_dim)


if __name__ == "__main__":
    main()
