"""What is around attention and feed-forward network: residual sums, layers, embedding, head."""

from collections.abc import Callable
from copy import deepcopy

import torch
from mutants.run import Mutant, Run, rounded_to
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

HIDDEN = 66
Tensor = torch.Tensor
Sublayer = Callable[[Tensor], Tensor]


def block(compute: Callable[[LlamaDecoderLayer, Sublayer, Tensor], Tensor]) -> Mutant:
    """Another block: `compute(layer, attention, x)`."""

    def forward(self, hidden_states, **options):
        return compute(self, lambda x: self.self_attn(x, **options)[0], hidden_states)

    return lambda run: run.replace(LlamaDecoderLayer, "forward", forward)


def attention_missing(layer, attention, x):
    """Not the sublayer is missing: what it is added to."""
    x = attention(layer.input_layernorm(x))
    return x + layer.mlp(layer.post_attention_layernorm(x))


def mlp_missing(layer, attention, x):
    x = x + attention(layer.input_layernorm(x))
    return layer.mlp(layer.post_attention_layernorm(x))


def after_norm(layer, attention, x):
    x = layer.input_layernorm(x)
    x = x + attention(x)
    x = layer.post_attention_layernorm(x)
    return x + layer.mlp(x)


def parallel(layer, attention, x):
    return x + attention(layer.input_layernorm(x)) + layer.mlp(layer.post_attention_layernorm(x))


def layers(order: list[int]) -> Mutant:
    def mutant(run: Run) -> None:
        own = run.network.model.layers
        run.network.model.layers = torch.nn.ModuleList([deepcopy(own[index]) for index in order])

    return mutant


def output(module: str, change: Callable[[Tensor], Tensor]) -> Mutant:
    """Another output of the submodule `module`."""
    return lambda run: run.network.get_submodule(module).register_forward_hook(
        lambda _module, _inputs, out: change(out)
    )


def tied(run: Run) -> None:
    run.network.lm_head.weight = run.network.model.embed_tokens.weight


def off_by_one(run: Run) -> None:
    run.tokens = (run.tokens - 1).clamp(min=0)


def row_off_by_one(logits: Tensor) -> Tensor:
    return torch.cat((logits[:, :1], logits[:, :-1]), 1)


MUTANTS = {
    "residual.attention-missing": block(attention_missing),
    "residual.mlp-missing": block(mlp_missing),
    "residual.after-norm": block(after_norm),
    "residual.parallel": block(parallel),
    "layers.order": {"reversed": layers([1, 0])},
    "layers.last-missing": layers([0]),
    "layers.repeated": layers([0, 0]),
    "head.tied": tied,
    "head.row-off-by-one": output("lm_head", row_off_by_one),
    "head.logits-16bit": {
        "bf16": output("lm_head", rounded_to(torch.bfloat16)),
        "f16": output("lm_head", rounded_to(torch.float16)),
    },
    "head.softcap": output("lm_head", lambda logits: 30 * (logits / 30).tanh()),
    "head.scaled": output("lm_head", lambda logits: logits / HIDDEN**0.5),
    "head.transposed-vocabulary": output("lm_head", lambda logits: logits.roll(-1, -1)),
    "embedding.scaled": output("model.embed_tokens", lambda x: x * HIDDEN**0.5),
    "embedding.off-by-one": off_by_one,
}
