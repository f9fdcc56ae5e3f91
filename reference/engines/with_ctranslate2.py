"""Logits of CTranslate2, through its own converter from transformers. --type: f32, bf16, f16 or
int8 (weights and activations are integers of 8 bits, with a scale for each row)."""

import tempfile

import ctranslate2
import numpy as np
import torch
import transformers
from ctranslate2.converters.transformers import LlamaLoader
from ctranslate2.specs import TransformerDecoderModelSpec

import dump

TYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16", "int8": "int8"}


def compute(arguments):
    is_new = arguments.variant == "new-config"
    directory = arguments.model if is_new else dump.with_rope_scaling(arguments.model)
    network = transformers.LlamaForCausalLM.from_pretrained(directory, dtype=torch.float32)
    loader = LlamaLoader()
    spec: TransformerDecoderModelSpec = loader.get_model_spec(network)
    names = [f"<{token}>" for token in range(network.config.vocab_size)]
    spec.register_vocabulary(names)
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = (
        names[1],
        names[2],
        names[0],
    )
    spec.validate()
    spec.optimize(quantization=TYPES[arguments.type])
    out = tempfile.mkdtemp(prefix="ctranslate2-")
    spec.save(out)
    generator = ctranslate2.Generator(
        out, device="cpu", compute_type=TYPES[arguments.type], intra_threads=1
    )
    print("compute type", generator.compute_type)
    logits = generator.forward_batch([[names[token] for token in arguments.tokens]])
    return np.array(logits.to(ctranslate2.DataType.float32))[0]


dump.main(compute)
