"""Run a Llama and keep every intermediate tensor; and run it in float64, as the truth."""

from contextlib import contextmanager
from unittest import mock

import torch
from transformers import LlamaForCausalLM
from transformers.models.llama import modeling_llama


def heads_last(x: torch.Tensor) -> torch.Tensor:
    """[1, heads, R, d] → [R, heads · d]."""
    return x[0].transpose(0, 1).flatten(1)


@torch.no_grad()
def trace(network: LlamaForCausalLM, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """The forward pass over `tokens` [R], as named tensors with one row per token.

    Module outputs come from forward hooks, the tensors between modules from forward pre-hooks, and
    the rotated queries and keys (before repeat_kv) from a wrapper around the function that rotates
    them.
    """
    tensors = {"tokens": tokens}
    hooks = []

    def keep_output(module, name):
        hooks.append(
            module.register_forward_hook(
                lambda _module, _inputs, output: tensors.update({name: output[0]})
            )
        )

    def keep_input(module, name):
        hooks.append(
            module.register_forward_pre_hook(
                lambda _module, inputs: tensors.update({name: inputs[0][0]})
            )
        )

    def keep_attention(attention, name):
        """The module's second output holds the probabilities [1, H, R, T]."""
        hooks.append(
            attention.register_forward_hook(
                lambda _module, _inputs, output: tensors.update(
                    {name: output[1][0].transpose(0, 1)}
                )
            )
        )

    keep_output(network.model.embed_tokens, "model.embed_tokens")
    for index, layer in enumerate(network.model.layers):
        name = f"model.layers.{index}"
        attention, mlp = layer.self_attn, layer.mlp
        keep_output(layer.input_layernorm, f"{name}.input_layernorm")
        for projection in ("q_proj", "k_proj", "v_proj", "o_proj"):
            keep_output(attention.get_submodule(projection), f"{name}.self_attn.{projection}")
        keep_attention(attention, f"{name}.self_attn.probabilities")
        keep_input(attention.o_proj, f"{name}.self_attn.context")
        keep_input(layer.post_attention_layernorm, f"{name}.self_attn.residual")
        keep_output(layer.post_attention_layernorm, f"{name}.post_attention_layernorm")
        for projection in ("gate_proj", "up_proj", "down_proj"):
            keep_output(mlp.get_submodule(projection), f"{name}.mlp.{projection}")
        keep_input(mlp.down_proj, f"{name}.mlp.swiglu")
        keep_output(layer, name)
    keep_output(network.model.norm, "model.norm")
    keep_output(network.lm_head, "lm_head")

    rotate = modeling_llama.apply_rotary_pos_emb
    rotations = []  # one pair (queries, keys) per layer, in order

    def rotate_and_keep(q, k, cos, sin, **options):
        rotations.append(rotate(q, k, cos, sin, **options))
        return rotations[-1]

    with mock.patch.object(modeling_llama, "apply_rotary_pos_emb", rotate_and_keep):
        network(tokens[None], use_cache=False)
    for hook in hooks:
        hook.remove()
    for index, (q, k) in enumerate(rotations):
        tensors[f"model.layers.{index}.self_attn.q_rotated"] = heads_last(q)
        tensors[f"model.layers.{index}.self_attn.k_rotated"] = heads_last(k)
    return {name: tensor.contiguous().clone() for name, tensor in tensors.items()}


@contextmanager
def in_float64():
    """While this lasts, a float64 Llama is float64 throughout.

    Hugging Face computes three things in float32 whatever the model's dtype: RMSNorm, the softmax,
    and the cosine and sine. Here they are the same formulas in float64. One float32 rounding is
    left on purpose, the rotation angle f32(f32(position) · f32(inverse frequency)): every
    implementation that is right shares it, and at position 32,767 the unrounded angle is another
    model.
    """

    def rmsnorm(self, x):
        return self.weight * (
            x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)
        )

    def rotary(self, x, position_ids):
        angles = (position_ids[..., None].float() * self.inv_freq).double()
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()

    def softmax(x, dim, dtype):
        """What eager_attention_forward calls with dtype=float32."""
        return x.softmax(dim)

    with (
        mock.patch.object(modeling_llama.LlamaRMSNorm, "forward", rmsnorm),
        mock.patch.object(modeling_llama.LlamaRotaryEmbedding, "forward", rotary),
        mock.patch.object(torch.nn.functional, "softmax", softmax),
    ):
        yield
