"""SmolLM2-135M-Instruct as transformers has it, from a GGUF file: weights, configuration and
tokenizer.

Quantized weights are the numbers that the gguf package makes of their blocks. As a program it saves
the directory that transformers would, in bfloat16: `smollm2.py MODEL.gguf DIRECTORY`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from gguf.constants import TokenType
from gguf.quants import dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
MODEL_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}


def field(reader: GGUFReader, key: str):
    """A value of the metadata."""
    return reader.fields[key].contents()


def huggingface_name(name: str) -> str:
    """`blk.0.attn_q.weight` → `model.layers.0.self_attn.q_proj.weight`."""
    name = name.removesuffix(".weight")
    if name in MODEL_NAMES:
        return f"{MODEL_NAMES[name]}.weight"
    _, layer, kind = name.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[kind]}.weight"


def unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """What undoes LlamaModel.permute of convert_hf_to_gguf.py: pairs (2j, 2j + 1) become
    (j, j + d/2)."""
    rows, columns = weight.shape
    return (
        weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(weight.shape)
    )


def read_config(reader: GGUFReader) -> LlamaConfig:
    """The embedding is the output matrix, as in all SmolLM2 of this size."""
    assert "output.weight" not in {tensor.name for tensor in reader.tensors}
    return LlamaConfig(
        vocab_size=field(reader, "llama.vocab_size"),
        hidden_size=field(reader, "llama.embedding_length"),
        intermediate_size=field(reader, "llama.feed_forward_length"),
        num_hidden_layers=field(reader, "llama.block_count"),
        num_attention_heads=field(reader, "llama.attention.head_count"),
        num_key_value_heads=field(reader, "llama.attention.head_count_kv"),
        max_position_embeddings=field(reader, "llama.context_length"),
        rms_norm_eps=round(field(reader, "llama.attention.layer_norm_rms_epsilon"), 9),
        rope_theta=field(reader, "llama.rope.freq_base"),
        bos_token_id=field(reader, "tokenizer.ggml.bos_token_id"),
        eos_token_id=field(reader, "tokenizer.ggml.eos_token_id"),
        pad_token_id=field(reader, "tokenizer.ggml.padding_token_id"),
        tie_word_embeddings=True,
    )


def read_network(reader: GGUFReader) -> LlamaForCausalLM:
    """In float32, with eager attention."""
    config = read_config(reader)
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    state = {}
    for tensor in reader.tensors:
        weight = dequantize(tensor.data, tensor.tensor_type)
        kind = tensor.name.split(".")[-2]
        if kind in heads:
            weight = unpermute(weight, heads[kind])
        state[huggingface_name(tensor.name)] = torch.from_numpy(weight.copy())
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    network = LlamaForCausalLM._from_config(config, attn_implementation="eager")
    network.load_state_dict(state)
    return network.eval()


def read_tokenizer(reader: GGUFReader) -> PreTrainedTokenizerFast:
    """Byte-level BPE that splits off every digit first, with the model's chat template."""
    tokens = field(reader, "tokenizer.ggml.tokens")
    types = field(reader, "tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in field(reader, "tokenizer.ggml.merges")]
    vocabulary = {text: i for i, text in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    controls = [text for text, kind in zip(tokens, types) if kind == TokenType.CONTROL]
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in controls])
    named = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=field(reader, "tokenizer.chat_template"),
        additional_special_tokens=controls[1:3],
        clean_up_tokenization_spaces=False,
        model_max_length=field(reader, "llama.context_length"),
        **{
            f"{name}_token": tokens[field(reader, f"tokenizer.ggml.{key}_token_id")]
            for name, key in named.items()
        },
    )


def save(reader: GGUFReader, directory: Path) -> None:
    """A directory as the hub has it: weights in bfloat16, the template in tokenizer_config.json,
    and the vocabulary once more in vocab.json and merges.txt."""
    network = read_network(reader).to(torch.bfloat16)
    network.generation_config = GenerationConfig(
        bos_token_id=network.config.bos_token_id,
        eos_token_id=network.config.eos_token_id,
        pad_token_id=network.config.pad_token_id,
    )
    network.save_pretrained(directory)
    tokenizer = read_tokenizer(reader)
    tokenizer.save_pretrained(directory, save_jinja_files=False)
    tokenizer.backend_tokenizer.model.save(str(directory))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    save(GGUFReader(arguments.gguf), arguments.directory)


if __name__ == "__main__":
    main()
