"""Where does Hugging Face round in bfloat16 and float16? Read the traces of golden/ and say how
well an answer fits.

Every tensor of a trace is computed again from the trace's own inputs to it, in float64 and rounded
exactly where the name in the table says. If the answer is right nothing differs, but for sums:
those PyTorch accumulates in float32, so now and then one lands on the other side of a tie.
"""

from collections.abc import Callable

import torch
from make_golden import DTYPES, GOLDEN, TRACED
from models import EPS, load_model
from safetensors.torch import load_file

Round = Callable[[torch.Tensor], torch.Tensor]


def rounding_to(dtype: torch.dtype) -> Round:
    """Round float64 values to `dtype` once, ties to even, keeping them in float64. (`.to` would go
    through float32.)"""
    digits, smallest = {torch.bfloat16: (8, -125), torch.float16: (11, -13)}[dtype]

    def rounded(x: torch.Tensor) -> torch.Tensor:
        exponent = torch.frexp(x).exponent.clamp(min=smallest)
        scale = torch.ldexp(torch.ones_like(x), digits - exponent)
        return torch.round(x * scale) / scale

    return rounded


def rebuilt(
    network, tensors: dict[str, torch.Tensor], rnd: Round
) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """(which rounding, the trace's tensor, the same from its inputs) for every layer."""
    config = network.config
    heads, kv_heads, size = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    weights = {name: tensor.double() for name, tensor in network.state_dict().items()}
    angles = (
        torch.arange(len(tensors["tokens"]))[:, None].float() * network.model.rotary_emb.inv_freq
    )
    cos, sin = (
        rnd(torch.cat((x, x), -1))[:, None] for x in (angles.double().cos(), angles.double().sin())
    )

    def normalised(x):
        return x / (x.pow(2).mean(-1, keepdim=True) + EPS).sqrt()

    def rotated(x, count):
        x = x.unflatten(1, (count, size))
        turned = torch.cat((-x[..., size // 2 :], x[..., : size // 2]), -1)
        return rnd(rnd(x * cos) + rnd(turned * sin)).flatten(1)

    def per_head(x, count):
        """[R, count · d] → [H, R, d], key/value heads repeated."""
        return x.unflatten(1, (count, size)).transpose(0, 1).repeat_interleave(heads // count, 0)

    def probabilities(q, k, scale):
        scores = rnd(rnd(per_head(q, heads) @ per_head(k, kv_heads).transpose(1, 2)) * scale)
        future = torch.ones(scores.shape[1:], dtype=torch.bool).triu(1)
        return rnd(scores.masked_fill(future, -torch.inf).softmax(-1)).transpose(0, 1)

    rows = []
    x = tensors["model.embed_tokens"]
    for index in range(config.num_hidden_layers):

        def of(name, prefix=f"model.layers.{index}."):
            return tensors[prefix + name]

        def row(what, name, value, prefix=f"model.layers.{index}."):
            rows.append((what, tensors[prefix + name], value))

        def linear(name, inputs, prefix=f"model.layers.{index}."):
            row("linear: sum, round", name, rnd(inputs @ weights[f"{prefix}{name}.weight"].T))

        weight = weights[f"model.layers.{index}.input_layernorm.weight"]
        row(
            "RMSNorm: normalise, round, times weight, round",
            "input_layernorm",
            rnd(rnd(normalised(x)) * weight),
        )
        row(
            "  RMSNorm, if it were rounded only at the end",
            "input_layernorm",
            rnd(normalised(x) * weight),
        )
        for name in ("q_proj", "k_proj", "v_proj"):
            linear(f"self_attn.{name}", of("input_layernorm"))
        linear("self_attn.o_proj", of("self_attn.context"))
        row(
            "rotary: round cos and sin, both products, their sum",
            "self_attn.q_rotated",
            rotated(of("self_attn.q_proj"), heads),
        )
        row(
            "rotary: round cos and sin, both products, their sum",
            "self_attn.k_rotated",
            rotated(of("self_attn.k_proj"), kv_heads),
        )
        q, k = of("self_attn.q_rotated"), of("self_attn.k_rotated")
        row(
            "probabilities: q·k, round, times scale, round, softmax, round",
            "self_attn.probabilities",
            probabilities(q, k, size**-0.5),
        )
        row(
            "  probabilities, if the scale were rounded too",
            "self_attn.probabilities",
            probabilities(q, k, rnd(torch.tensor(size**-0.5).double())),
        )
        row(
            "context: sum, round",
            "self_attn.context",
            rnd(
                of("self_attn.probabilities").transpose(0, 1)
                @ per_head(of("self_attn.v_proj"), kv_heads)
            )
            .transpose(0, 1)
            .flatten(1),
        )
        row("residual: sum, round", "self_attn.residual", rnd(x + of("self_attn.o_proj")))
        for name in ("gate_proj", "up_proj"):
            linear(f"mlp.{name}", of("post_attention_layernorm"))
        gate, up = of("mlp.gate_proj"), of("mlp.up_proj")
        row(
            "SwiGLU: silu, round, times up, round",
            "mlp.swiglu",
            rnd(rnd(gate * gate.sigmoid()) * up),
        )
        row(
            "  SwiGLU, if it were rounded only at the end",
            "mlp.swiglu",
            rnd(gate * gate.sigmoid() * up),
        )
        linear("mlp.down_proj", of("mlp.swiglu"))
        row(
            "residual: sum, round",
            f"model.layers.{index}",
            rnd(of("self_attn.residual") + of("mlp.down_proj")),
            "",
        )
        x = tensors[f"model.layers.{index}"]
    rows.append(
        (
            "logits: sum, round",
            tensors["lm_head"],
            rnd(tensors["model.norm"] @ weights["lm_head.weight"].T),
        )
    )
    return rows


def main() -> None:
    for name in ("bf16", "f16"):
        counts: dict[str, list[int]] = {}
        for model in TRACED:
            network = load_model(GOLDEN / model, DTYPES[name])
            tensors = {
                key: value.double()
                for key, value in load_file(GOLDEN / model / f"trace-{name}.safetensors").items()
            }
            for what, kept, value in rebuilt(network, tensors, rounding_to(DTYPES[name])):
                differing, total = counts.get(what, [0, 0])
                counts[what] = [differing + int((kept != value).sum()), total + kept.numel()]
        print(name)
        for what, (differing, total) in counts.items():
            print(
                f"  {what:64} {differing:6} of {total:6} differ ({100 * differing / total:.3f} %)"
            )


if __name__ == "__main__":
    main()
