"""Write golden/blocks: blocks of every quantized format of GGUF with the numbers they stand for,
and numbers with their blocks.

Blocks → numbers, and numbers → Q4_0, Q4_1, Q5_0, Q5_1, Q8_0: the gguf package (gguf.quants), which
is llama.cpp's own. Numbers → Q4_K, Q6_K: ggml itself, because the package does not have them. For
that, say where the library is.
"""

import argparse
import ctypes
from pathlib import Path

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize, quantize
from manifest import add_to_manifest
from safetensors.numpy import save_file

GOLDEN = Path(__file__).parent.parent / "golden"
GGML = (
    Path(__file__).parent.parent
    / "bench/peers/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so"
)

# Where the f16 scales of a block are, in bytes.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}  # fmt: skip
QUANTIZED_BY_PACKAGE = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]
QUANTIZED_BY_GGML = ["Q4_K", "Q6_K"]

# 0, −0, the smallest and the largest subnormal, the smallest normal number, 1, the largest number,
# and their negatives.
SCALE_BITS = [
    0x0000,
    0x8000,
    0x0001,
    0x8001,
    0x03FF,
    0x83FF,
    0x0400,
    0x8400,
    0x3C00,
    0xBC00,
    0x7BFF,
    0xFBFF,
]


def random_blocks(name: str, draw: np.random.Generator, count: int) -> np.ndarray:
    """Random bits, but every scale a finite f16: first the odd ones, in all formats in the same
    order, then any."""
    _, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    blocks = draw.integers(0, 256, (count, size), dtype=np.uint8)
    for i, at in enumerate(SCALES[name]):
        finite = (draw.integers(0, 0x7C00, count) | (draw.integers(0, 2, count) << 15)).astype(
            np.uint16
        )
        odd = np.array(SCALE_BITS, dtype=np.uint16)
        finite[: len(odd)] = np.roll(odd, 5 * i)
        blocks[:, at : at + 2] = finite.view(np.uint8).reshape(count, 2)
    return blocks


def near_ties(width: int, draw: np.random.Generator) -> np.ndarray:
    """Numbers halfway between two quants, but for a rounding error: a scale or product rounded
    otherwise shows."""
    levels = draw.choice([8, 16, 127, 15, 31])
    low, high = draw.uniform(-1, 0), draw.uniform(0, 1)
    row = low + (draw.integers(0, levels, width) + 0.5) * np.float32((high - low) / levels)
    if levels in (8, 16, 127):
        high = max(-low, high) * draw.choice([-1, 1])
        row = (draw.integers(-levels, levels, width) + 0.5) * np.float32(abs(high) / levels)
    return np.concatenate([[low, high], row[2:]])


def random_numbers(width: int, draw: np.random.Generator, count: int) -> np.ndarray:
    """Rows such as weights have, and rows that no weights have."""
    rows = [
        np.zeros(width),
        -np.zeros(width),
        np.full(width, 0.5),
        np.full(width, -0.5),
        np.where(np.arange(width) == 7, -3.0, 0.0),
        np.where(np.arange(width) % 2 == 0, 1.0, -1.0),  # a tie for the largest
        np.where(np.arange(width) % 2 == 0, -1.0, 1.0),
        np.arange(width) - width / 2,  # many ties between two quants
        (np.arange(width) - width / 2) / 254,
        np.where(
            np.arange(width) == 3, np.float32(0.49999997), np.arange(width) % 16
        ),  # + 0.5 is 1 in float32
        np.where(np.arange(width) == 3, np.float32(0.49999997), np.arange(width) % 32),
        draw.uniform(1, 2, width),
        draw.uniform(-2, -1, width),
        draw.standard_normal(width) * 1e4,
        draw.standard_normal(width) * 1e-5,  # scales are subnormal f16 numbers
        draw.standard_normal(width) * 1e-7,  # scales are 0
        draw.standard_cauchy(width) * 0.01,
        draw.standard_normal(width) * np.exp2(draw.integers(-12, 4, width)),
    ]
    rows += [near_ties(width, draw) for _ in range(count // 2 if width == 32 else 0)]
    rows += [draw.standard_normal(width) * 0.02 for _ in range(count - len(rows))]
    return np.stack(rows).astype(np.float32)


def ggml_quantize(library: Path, name: str, numbers: np.ndarray) -> np.ndarray:
    """Row by row, as llama-quantize does it without an importance matrix."""
    ggml = ctypes.CDLL(str(library))
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    rows, width = numbers.shape
    kind = GGMLQuantizationType[name]
    out = np.zeros(
        (rows, GGML_QUANT_SIZES[kind][1] * (width // GGML_QUANT_SIZES[kind][0])), dtype=np.uint8
    )
    written = ggml.ggml_quantize_chunk(
        ctypes.c_int(kind),
        numbers.ctypes.data_as(ctypes.c_void_p),
        out.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(0),
        ctypes.c_int64(rows),
        ctypes.c_int64(width),
        ctypes.c_void_p(None),
    )
    assert written == out.nbytes
    return out


def write_format(name: str, seed: int, library: Path, out: Path) -> None:
    kind = GGMLQuantizationType[name]
    width, _ = GGML_QUANT_SIZES[kind]
    draw = np.random.Generator(np.random.PCG64(seed))
    count = 128 if width == 32 else 32
    blocks = random_blocks(name, draw, count)
    tensors = {"blocks": blocks, "values": dequantize(blocks, kind)}
    if name in QUANTIZED_BY_PACKAGE + QUANTIZED_BY_GGML:
        numbers = random_numbers(width, draw, count)
        quantized = (
            quantize(numbers, kind)
            if name in QUANTIZED_BY_PACKAGE
            else ggml_quantize(library, name, numbers)
        )
        tensors |= {"numbers": numbers, "quantized": quantized}
    for tensor in tensors.values():
        assert tensor.dtype == np.uint8 or np.isfinite(tensor).all(), name
    save_file(tensors, out / f"{name.lower()}.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--ggml", type=Path, default=GGML, help="libggml-base.so, such as bench/peers installs"
    )
    library = parser.parse_args().ggml
    out = GOLDEN / "blocks"
    out.mkdir(exist_ok=True)
    for seed, name in enumerate(SCALES):
        write_format(name, seed, library, out)
    add_to_manifest(
        GOLDEN, "blocks", "blocks of a quantized format, their numbers, and numbers quantized to it"
    )


if __name__ == "__main__":
    main()
