"""Single operations on forced inputs: float32 in, float64 out, by the functions of transformers.

Each file has its cases in its metadata, and of the case `c` the tensors `c.NAME`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from conformance.pack import Pack
from conformance.sequences import TOY
from models import EPS
from tracing import heads_last, in_float64
from transformers.models.llama.modeling_llama import (
    LlamaRMSNorm,
    LlamaRotaryEmbedding,
    apply_rotary_pos_emb,
    eager_attention_forward,
)

# A name, parameters and a note, inputs, and what comes out.
Case = tuple[str, dict, dict[str, torch.Tensor], torch.Tensor]
POSITIONS = [0, 1, 7, 8, 40, 127, 128, 511, 2047, 4095, 4096, 8191, 16383, 32767]
SIZES = [1, 3, 5, 33, 127]
BY = "transformers in float64"


def normal(draw: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.from_numpy(draw.standard_normal(shape).astype(np.float32))


def rmsnorm(draw: np.random.Generator) -> Iterator[Case]:
    notes = {
        1e-6: "eps outweighs the mean square",
        1e-5: "the mean square is eps",
        1: "as activations are",
        1e10: "beyond float16: a square or a sum of squares in it is infinite",
    }
    for width in (33, 132, 260, 4096):
        for mean_square, note in notes.items():
            x = normal(draw, 1 if width == 4096 else 2, width)
            x *= (mean_square / x.pow(2).mean(-1, keepdim=True)).sqrt()
            norm = LlamaRMSNorm(width, EPS)
            weight = torch.from_numpy(draw.uniform(0.5, 1.6, width).astype(np.float32))
            norm.weight = torch.nn.Parameter(weight.double())
            name = f"width {width}, mean square {mean_square:g}"
            yield name, {"eps": EPS, "note": note}, {"x": x, "weight": weight}, norm(x.double())


def rope(draw: np.random.Generator) -> Iterator[Case]:
    for head_dim in (22, 128):
        for factor in (1, 8):
            rope = {"rope_type": "linear", "rope_theta": 10000.0, "factor": float(factor)}
            model = replace(TOY.model, head_dim=head_dim, scaling=rope)
            first = torch.arange(head_dim) < head_dim // 2
            heads = torch.stack((first, ~first)).float()
            x = heads.expand(len(POSITIONS), 2, head_dim).contiguous()
            cos, sin = LlamaRotaryEmbedding(model.config())(x, torch.tensor(POSITIONS)[None])
            query = x.double().transpose(0, 1)[None]
            out, _ = apply_rotary_pos_emb(query, query, cos, sin)
            parameters = {
                "head_dim": head_dim,
                "theta": 10000.0,
                "factor": factor,
                "positions": POSITIONS,
                "note": "a row for each position; the two heads are the sums of the unit vectors "
                "of the first and of the second half, so that every frequency shows alone",
            }
            yield (
                f"head {head_dim}, factor {factor}",
                parameters,
                {"x": x.flatten(1)},
                heads_last(out),
            )


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, visible: list[int]):
    """[R, H, d], [T, K, d], [T, K, d] → [R, H · d]; row r sees the first visible[r] keys."""
    seen = max(visible)
    query, key, value = (
        x.double().transpose(0, 1)[None] for x in (query, key[:seen], value[:seen])
    )
    hidden = torch.arange(seen) >= torch.tensor(visible)[:, None]
    mask = torch.zeros(hidden.shape).double().masked_fill(hidden, -torch.inf)
    module = torch.nn.Module().eval()
    module.num_key_value_groups = query.shape[1] // key.shape[1]
    out, _ = eager_attention_forward(module, query, key, value, mask, query.shape[-1] ** -0.5)
    return out[0].flatten(1)


def attention(draw: np.random.Generator) -> Iterator[Case]:
    def case(name, note, query, key, value, visible):
        parameters = {
            "heads": query.shape[1],
            "kv_heads": key.shape[1],
            "head_dim": query.shape[2],
            "visible": visible,
            "note": note,
        }
        inputs = {
            "query": query.flatten(1),
            "keys": key.flatten(1),
            "values": value.flatten(1),
        }
        return name, parameters, inputs, attend(query, key, value, visible)

    def scored(scores: list[float], head_dim: int = 16):
        """A query and keys whose scores are these."""
        query = torch.zeros(1, 1, head_dim)
        query[..., 0] = head_dim**0.5
        key = normal(draw, len(scores), 1, head_dim)
        key[:, 0, 0] = torch.tensor(scores)
        return query, key, normal(draw, len(scores), 1, head_dim)

    yield case(
        "all scores -200",
        "e^-200 is 0 in float32: the largest score must be found, not begun at 0",
        *scored([-200.0] * 9),
        [9],
    )
    yield case(
        "one score 1000",
        "e^1000 is infinite: the largest score must be subtracted",
        *scored([0.5, -3.0, 1000.0, 2.0, 999.0]),
        [5],
    )
    yield case("one key", "the output is the value", *scored([3.0]), [1])
    square = (normal(draw, 3, 2, 16), normal(draw, 7, 2, 16), normal(draw, 7, 2, 16))
    yield case(
        "3 queries on 7 keys",
        "the last query sees all keys: aligned at the bottom right",
        *(3 * square[0], *square[1:]),
        [5, 6, 7],
    )
    grouped = (2 * normal(draw, 9, 6, 22), normal(draw, 9, 2, 22), normal(draw, 9, 2, 22))
    yield case(
        "grouped heads",
        "query head h has key/value head floor(h / 3)",
        *grouped,
        list(range(1, 10)),
    )
    query, key, value = 2 * normal(draw, 2, 2, 22), normal(draw, 40, 1, 22), normal(draw, 40, 1, 22)
    key[7:], value[7:] = torch.nan, torch.nan
    yield case(
        "poisoned tail",
        "what lies behind the visible keys is not a number: 0 · NaN is NaN",
        query,
        key,
        value,
        [6, 7],
    )
    scores = draw.standard_normal(4096)
    scores[2741] = 9
    yield case(
        "needle",
        "key 2,741 of 4,096 has half of the weight, and the others together the other half",
        *scored(scores.tolist(), head_dim=4),
        [4096],
    )


def swiglu(draw: np.random.Generator) -> Iterator[Case]:
    smallest, normal_number = 2.0**-149, 2.0**-126
    gates = [100, 1e4, 88.8, 0.0, smallest, normal_number / 3, normal_number, 1, 20]
    signed = torch.tensor([sign * x for x in gates for sign in (1, -1)], dtype=torch.float32)
    ups = torch.tensor([1.0, -3.0, -0.0, 1e-40, 261.0])
    note = "large, ±0 and subnormal; where e^-gate is infinite the output is ±0"
    yield gated("extreme", note, signed.expand(len(ups), -1), ups[:, None].expand(-1, len(signed)))
    yield gated("odd width", "as activations are", 3 * normal(draw, 3, 173), normal(draw, 3, 173))


def gated(name: str, note: str, gate: torch.Tensor, up: torch.Tensor) -> Case:
    out = torch.nn.functional.silu(gate.double()) * up.double()
    return name, {"note": note}, {"gate": gate, "up": up}, out


def matmul(draw: np.random.Generator) -> Iterator[Case]:
    """Sums are less than 2^24, so that every order of summation gives the same float32."""
    shapes = [
        (SIZES[i], SIZES[(i + j) % 5], SIZES[(2 * i + j) % 5]) for i in range(5) for j in range(3)
    ]
    for rows, outputs, inner in [*shapes, (5, 33, 512)]:
        x, weight = (
            torch.from_numpy(draw.integers(-8, 9, (count, inner)).astype(np.float32))
            for count in (rows, outputs)
        )
        out = (x.double() @ weight.double().T + 0).float()  # −0 becomes 0
        name = f"[{rows}, {inner}] times [{outputs}, {inner}]"
        note = "integers: the same numbers in any order, in float32 and in more"
        yield name, {"note": note}, {"x": x, "weight": weight}, out


FORMULAS = {
    rmsnorm: "out = weight · x / √(mean(x²) + eps), row by row",
    rope: "every head's halves a, b → a·cos − b·sin, b·cos + a·sin; the angle, "
    "position · θ^(−2i/d) / factor, is a float32 number, as in the model",
    attention: "out = softmax(query · keysᵀ / √head_dim) · values; row r sees the first visible[r]",
    swiglu: "out = silu(gate) · up",
    matmul: "out = x · weightᵀ, exact",
}


def add_operations(pack: Pack) -> None:
    for seed, (operation, formula) in enumerate(FORMULAS.items()):
        draw = np.random.Generator(np.random.PCG64(seed))
        cases, tensors = [], {}
        with torch.no_grad(), in_float64():
            for name, parameters, inputs, out in operation(draw):
                cases.append({"name": name, **parameters})
                tensors |= {f"{name}.{key}": x for key, x in (inputs | {"out": out}).items()}
        pack.save(
            f"operations/{operation.__name__}.safetensors",
            tensors,
            {"formula": formula, "cases": cases},
            f"{formula}: inputs and outputs",
            BY,
        )
