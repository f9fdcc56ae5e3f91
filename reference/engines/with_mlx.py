"""Logits of mlx-lm, on the CPU. --variant new-config leaves the configuration as it is."""

import json

import mlx.core as mx
import numpy as np
from mlx_lm.models.llama import Model, ModelArgs

import dump

TYPES = {"f32": mx.float32, "bf16": mx.bfloat16, "f16": mx.float16}


def compute(arguments):
    mx.set_default_device(mx.cpu)
    is_new = arguments.variant == "new-config"
    directory = arguments.model if is_new else dump.with_rope_scaling(arguments.model)
    config = json.loads((directory / "config.json").read_text())
    model = Model(ModelArgs.from_dict(config))
    weights = mx.load(str(directory / "model.safetensors"))
    typed = {name: x.astype(TYPES[arguments.type]) for name, x in weights.items()}
    model.load_weights(list(model.sanitize(typed).items()))
    logits = model(mx.array([arguments.tokens]))[0]
    return np.array(logits.astype(mx.float32))


dump.main(compute)
