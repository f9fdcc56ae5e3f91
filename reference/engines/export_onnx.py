"""transformers' Llama as an ONNX file, as torch exports it."""

import torch
import transformers

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


class Logits(torch.nn.Module):
    """From ids to logits, without a cache."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_ids):
        return self.network(input_ids, use_cache=False).logits


@torch.no_grad()
def export(model, directory, kind):
    """The path of the file."""
    network = transformers.LlamaForCausalLM.from_pretrained(
        model, dtype=TYPES[kind], attn_implementation="eager"
    ).eval()
    path = directory / "model.onnx"
    length = torch.export.Dim("length", min=2, max=network.config.max_position_embeddings)
    torch.onnx.export(
        Logits(network),
        (torch.ones(1, 8, dtype=torch.int64),),
        path,
        input_names=["input_ids"],
        output_names=["logits"],
        dynamic_shapes=({1: length},),
        dynamo=True,
    )
    return path
