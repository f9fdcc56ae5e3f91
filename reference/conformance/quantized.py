"""The models as GGUF files, and the logits of the numbers that are in these."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch
from conformance.goldens import BY, add_rows, logits
from conformance.pack import Pack
from conformance.sequences import BLOCKS, TOY, Sequence
from gguf.constants import GGMLQuantizationType, LlamaFileType, TokenType
from gguf.quants import dequantize, quantize
from make_blocks import ggml_quantize
from make_gguf import add_hyperparameters, gguf_name, permute, write_all
from models import load_model
from transformers import LlamaForCausalLM

Encode = Callable[[np.ndarray, GGMLQuantizationType], np.ndarray]
SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
CHARACTERS = ["▁", *map(chr, range(ord("!"), ord("~") + 1))]


@dataclass(frozen=True)
class File:
    """What `types` does not name has the type `rest`; vectors have float32."""

    name: str
    sequence: Sequence
    file_type: LlamaFileType
    rest: str
    types: dict[str, str]
    by: str


PACKAGE = "the gguf package"
FILES = [
    File("toy-f32", TOY, LlamaFileType.ALL_F32, "F32", {}, PACKAGE),
    File("toy-f16", TOY, LlamaFileType.MOSTLY_F16, "F16", {}, PACKAGE),
    File("toy-bf16", TOY, LlamaFileType.MOSTLY_BF16, "BF16", {}, PACKAGE),
    File("blocks-q8_0", BLOCKS, LlamaFileType.MOSTLY_Q8_0, "Q8_0", {}, PACKAGE),
    File(
        "blocks-q4_k_m",
        BLOCKS,
        LlamaFileType.MOSTLY_Q4_K_M,
        "Q4_K",
        # As llama-quantize mixes them in a model of one layer.
        {"attn_v": "Q6_K", "ffn_down": "Q6_K", "output": "Q6_K"},
        "ggml, without an importance matrix",
    ),
]


def add_tokenizer(writer: gguf.GGUFWriter, vocab: int) -> None:
    """SentencePiece's kind, which llama.cpp loads only with a piece for every byte."""
    pieces = [*SPECIAL, *BYTES, *CHARACTERS][:vocab]
    assert len(pieces) == vocab
    types = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    types += [TokenType.BYTE if piece in BYTES else TokenType.NORMAL for piece in pieces[3:]]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(i) for i in range(vocab)])
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)


def heads_of(name: str, config: dict) -> int | None:
    """How many heads the rows of a matrix are, if they are rotated."""
    kind = name.removesuffix(".weight").split(".")[-1]
    return {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}.get(
        kind
    )


def in_order_of_halves(weight: np.ndarray, heads: int) -> np.ndarray:
    """What `permute` of make_gguf.py undoes."""
    rows, columns = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def write_file(file: File, directory: Path, path: Path, encode: Encode) -> None:
    config = json.loads((directory / "config.json").read_text())
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(file.name)
    add_hyperparameters(writer, config, file.file_type)
    add_tokenizer(writer, config["vocab_size"])
    for name, parameter in load_model(directory, torch.float32).named_parameters():
        weight, own = parameter.detach().numpy(), gguf_name(name)
        heads = heads_of(name, config)
        if heads is not None:
            weight = permute(weight, heads)
        kind = file.types.get(own.split(".")[-1], file.rest) if weight.ndim == 2 else "F32"
        dtype = GGMLQuantizationType[kind]
        writer.add_tensor(f"{own}.weight", encode(weight, dtype), raw_dtype=dtype)
    write_all(writer)


@torch.no_grad()
def network_of(path: Path, directory: Path) -> LlamaForCausalLM:
    """transformers in float64 on the numbers that the gguf package reads from the file."""
    config = json.loads((directory / "config.json").read_text())
    network = load_model(directory, torch.float64)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for name, parameter in network.named_parameters():
        tensor = tensors.pop(f"{gguf_name(name)}.weight")
        weight = dequantize(tensor.data, tensor.tensor_type).reshape(parameter.shape)
        heads = heads_of(name, config)
        if heads is not None:
            weight = in_order_of_halves(weight, heads)
        parameter.copy_(torch.from_numpy(weight.astype(np.float64)))
    assert not tensors
    return network


def add_quantized(pack: Pack, ggml: Path) -> None:
    def encode(weight: np.ndarray, dtype: GGMLQuantizationType) -> np.ndarray:
        is_k = dtype.name.endswith("_K")
        return ggml_quantize(ggml, dtype.name, weight) if is_k else quantize(weight, dtype)

    for file in FILES:
        model, golden = f"gguf/{file.name}.gguf", f"gguf/{file.name}.safetensors"
        source = file.sequence.model.name
        write_file(file, pack.path(source), pack.path(model), encode)
        pack.add(model, f"{source} as a GGUF file", file.by)
        positions = file.sequence.positions[3::4]  # the last is among them
        network = network_of(pack.path(model), pack.path(source))
        rows = logits(network, file.sequence.tokens, positions)
        add_rows(
            pack,
            golden,
            {"logits": rows},
            positions,
            "logits [positions, V]",
            f"{BY}, on the numbers that the gguf package reads from the file",
        )
        pack.sequences.append(
            {
                "name": file.name,
                "model": model,
                "tokens": f"{source}/tokens.json",
                "length": file.sequence.length,
                "logits": golden,
                "positions": positions,
            }
        )
