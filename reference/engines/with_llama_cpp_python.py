"""Logits of llama.cpp as llama-cpp-python has it. --variant: nothing for what is the default, keys
and values in f16; f32 for a cache in float32 without flash attention."""

import llama_cpp

import dump


def compute(arguments):
    is_f32 = arguments.variant == "f32"
    kind = llama_cpp.GGML_TYPE_F32 if is_f32 else llama_cpp.GGML_TYPE_F16
    model = llama_cpp.Llama(
        str(arguments.model),
        n_ctx=len(arguments.tokens),
        n_batch=512,
        n_threads=1,
        n_threads_batch=1,
        logits_all=True,
        flash_attn=arguments.variant == "flash",
        type_k=kind,
        type_v=kind,
        verbose=False,
    )
    model.eval(arguments.tokens)
    return model.scores[: len(arguments.tokens)]


dump.main(compute)
