"""Logits of Hugging Face transformers. --variant: eager or sdpa; sdpa-new-config leaves the
configuration as it is, also for a transformers that cannot read it."""

import torch
import transformers

import dump

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


@torch.no_grad()
def compute(arguments):
    torch.set_num_threads(1)
    attention, _, form = arguments.variant.partition("-")
    is_old = int(transformers.__version__.split(".")[0]) < 5
    model = arguments.model
    network = transformers.LlamaForCausalLM.from_pretrained(
        dump.with_rope_scaling(model) if is_old and form == "" else model,
        dtype=TYPES[arguments.type],
        attn_implementation=attention,
    ).eval()
    return network(torch.tensor([arguments.tokens])).logits[0].float().numpy()


dump.main(compute)
