"""Write golden/gguf: models of golden/ as GGUF files, by the gguf package, as llama.cpp's
convert_hf_to_gguf.py uses it.

mha-f32 float32, with the metadata that the converter writes today tied-bf16 bfloat16 in two parts;
no output.weight; heads of another width than hidden size / heads long-blocks a format for each kind
of matrix; the metadata of August 2023 (rope.scale_linear); another alignment llama3-f32 float32;
rope_freqs.weight
"""

import json
from pathlib import Path

import gguf
import numpy as np
from gguf.constants import GGMLQuantizationType, TokenType
from gguf.quants import quantize
from manifest import add_to_manifest
from rope import gguf_factors
from safetensors import safe_open
from sentencepiece import SentencePieceProcessor

GOLDEN = Path(__file__).parent.parent / "golden"
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
MODEL_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
# For matrices whose rows are a multiple of 32 long.
BLOCKS = {
    "attn_q": "Q4_0",
    "attn_k": "Q5_1",
    "attn_v": "Q8_0",
    "attn_output": "Q4_1",
    "ffn_gate": "Q5_0",
    "ffn_up": "Q8_0",
    "token_embd": "Q4_0",
    "output": "Q8_0",
}


def gguf_name(name: str) -> str:
    name = name.removesuffix(".weight")
    if name in MODEL_NAMES:
        return MODEL_NAMES[name]
    _, _, layer, kind = name.split(".", 3)
    return f"blk.{layer}.{LAYER_NAMES[kind]}"


def permute(weight: np.ndarray, heads: int) -> np.ndarray:
    """LlamaModel.permute of convert_hf_to_gguf.py: pairs (j, j + d/2) become (2j, 2j + 1)."""
    rows, columns = weight.shape
    return (
        weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(weight.shape)
    )


def bf16_bits(path: Path, name: str) -> np.ndarray:
    """NumPy has no bfloat16: the bits of the tensor `name`, from the bytes of the file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    info = json.loads(content[8 : 8 + length])[name]
    begin, end = info["data_offsets"]
    return np.frombuffer(content[8 + length + begin : 8 + length + end], np.uint16).reshape(
        info["shape"]
    )


def weights(directory: Path) -> dict[str, np.ndarray]:
    """By Hugging Face's names: float32, or for bfloat16 the bits."""
    tensors = {}
    for path in sorted(directory.glob("model*.safetensors")):
        with safe_open(path, "np") as file:
            for name in file.keys():
                is_bf16 = file.get_slice(name).get_dtype() == "BF16"
                tensors[name] = bf16_bits(path, name) if is_bf16 else file.get_tensor(name)
    return tensors


def add_tensor(
    writer: gguf.GGUFWriter, name: str, tensor: np.ndarray, blocks: dict[str, str]
) -> None:
    kind = name.split(".")[-1]
    if tensor.dtype == np.uint16 and tensor.ndim == 1:  # norms are always float32
        tensor = (tensor.astype(np.uint32) << 16).view(np.float32)
    if tensor.dtype == np.uint16:
        writer.add_tensor(
            f"{name}.weight", tensor.view(np.uint8), raw_dtype=GGMLQuantizationType.BF16
        )
    elif tensor.ndim == 2 and kind in blocks:
        dtype = GGMLQuantizationType[blocks[kind]]
        writer.add_tensor(f"{name}.weight", quantize(tensor, dtype), raw_dtype=dtype)
    elif tensor.ndim == 2 and blocks:
        writer.add_tensor(f"{name}.weight", tensor.astype(np.float16))
    else:
        writer.add_tensor(f"{name}.weight", tensor)


def add_tokenizer(writer: gguf.GGUFWriter, is_old: bool) -> None:
    sp = SentencePieceProcessor(str(GOLDEN / "tokenizer" / "tokenizer.model"))
    types = []
    for i in range(sp.get_piece_size()):
        kind = (
            TokenType.BYTE
            if sp.is_byte(i)
            else TokenType.CONTROL if sp.is_control(i) else TokenType.NORMAL
        )
        types.append(TokenType.UNKNOWN if sp.is_unknown(i) else kind)
    if not is_old:
        types[0] = (
            TokenType.CONTROL
        )  # as the converter has it that knows <unk> from tokenizer_config.json
    writer.add_tokenizer_model("llama")
    writer.add_token_list([sp.id_to_piece(i) for i in range(sp.get_piece_size())])
    writer.add_token_scores([sp.get_score(i) for i in range(sp.get_piece_size())])
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    if not is_old:
        writer.add_tokenizer_pre("default")
        writer.add_add_bos_token(True)
        writer.add_add_eos_token(False)
        writer.add_add_space_prefix(True)


def llama3_factors(rope: dict, head_dim: int) -> np.ndarray:
    parameters = ("factor", "low_freq_factor", "high_freq_factor")
    original = rope["original_max_position_embeddings"]
    return gguf_factors(
        rope["rope_theta"], head_dim, *(rope[name] for name in parameters), original
    ).numpy()


def add_hyperparameters(
    writer: gguf.GGUFWriter, config: dict, file_type: int, is_old: bool = False
) -> None:
    """What config.json says, but for the tokenizer; as today, or as in August 2023."""
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    rope = config.get("rope_scaling") or config["rope_parameters"]
    factor = rope.get("factor", 1.0)
    writer.add_file_type(file_type)
    writer.add_quantization_version(2)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(head_dim)
    if is_old:
        writer.add_float32("llama.rope.scale_linear", factor)
        return
    writer.add_vocab_size(config["vocab_size"])
    writer.add_rope_freq_base(rope.get("rope_theta", 10000.0))
    if factor != 1 and rope.get("rope_type") != "llama3":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(factor)
    if config.get("head_dim"):
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if rope.get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(rope, head_dim))


def write_all(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_model(
    model: str, path: Path, file_type: int, is_old: bool = False, alignment: int = 32, **blocks: str
) -> None:
    config = json.loads((GOLDEN / model / "config.json").read_text())
    is_split = model == "tied"
    writer = gguf.GGUFWriter(path, "llama", split_max_tensors=11 if is_split else 0)
    if alignment != 32:
        writer.add_custom_alignment(alignment)
    writer.add_name(f"golden/{model}")
    add_hyperparameters(writer, config, file_type, is_old)
    add_tokenizer(writer, is_old)
    for name, tensor in weights(GOLDEN / model).items():
        if name.endswith("q_proj.weight"):
            tensor = permute(tensor, config["num_attention_heads"])
        if name.endswith("k_proj.weight"):
            tensor = permute(tensor, config["num_key_value_heads"])
        add_tensor(writer, gguf_name(name), tensor, blocks)
    write_all(writer)


def main() -> None:
    out = GOLDEN / "gguf"
    out.mkdir(exist_ok=True)
    for path in out.iterdir():
        path.unlink()
    write_model("mha", out / "mha-f32.gguf", 0)
    write_model("tied", out / "tied-bf16.gguf", 32)
    write_model("llama3", out / "llama3-f32.gguf", 0)
    write_model("long", out / "long-blocks.gguf", 2, is_old=True, alignment=64, **BLOCKS)
    add_to_manifest(GOLDEN, "gguf", "a model of golden/ as a GGUF file")


if __name__ == "__main__":
    main()
