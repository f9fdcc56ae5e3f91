"""The small random Llamas of golden/: their shapes, their weights, their Hugging Face directories.

Every size is chosen to be awkward (nothing is a power of two, few things divide by four) and every
scale is chosen so that a mistake shows: norm weights are not 1, the mean square of the embeddings
is near rms_norm_eps, attention is neither flat nor a copy of one token, and each block adds about
as much as it is given.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

BOS, EOS, PAD = 1, 2, 0
VOCAB = 331
EPS = 1e-5
LINEAR = {"rope_type": "linear", "factor": 8.0}
# As in Llama 3.1.
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


@dataclass(frozen=True)
class Model:
    """One model of golden/. `scaling` None means that rotary frequencies stay as they are."""

    name: str
    what: str
    seed: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int = VOCAB
    scaling: dict | None = field(default_factory=lambda: LINEAR)
    theta: float = 10000.0
    positions: int = 32768
    tied: bool = False
    dtype: torch.dtype = torch.float32
    max_shard_size: str = "50GB"
    old_style_config: bool = False

    def config(self) -> LlamaConfig:
        """The same model as transformers describes it."""
        rope = {"rope_type": "default", "rope_theta": self.theta} | (self.scaling or {})
        return LlamaConfig(
            vocab_size=self.vocab,
            hidden_size=self.hidden,
            intermediate_size=self.intermediate,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads,
            head_dim=self.head_dim,
            max_position_embeddings=self.positions,
            rms_norm_eps=EPS,
            rope_parameters=rope,
            tie_word_embeddings=self.tied,
            bos_token_id=BOS,
            eos_token_id=EOS,
            pad_token_id=PAD,
            attn_implementation="eager",
        )

    def published_config(self) -> dict:
        """config.json as transformers 4.31 wrote it for Llama-2-7B-32K-Instruct: `type`, no
        rope_theta, no head_dim."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "bos_token_id": BOS,
            "eos_token_id": EOS,
            "hidden_act": "silu",
            "hidden_size": self.hidden,
            "initializer_range": 0.02,
            "intermediate_size": self.intermediate,
            "max_position_embeddings": 32768,
            "model_type": "llama",
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "num_key_value_heads": self.kv_heads,
            "pad_token_id": PAD,
            "pretraining_tp": 1,
            "rms_norm_eps": EPS,
            "rope_scaling": {"factor": self.scaling["factor"], "type": "linear"},
            "tie_word_embeddings": self.tied,
            "torch_dtype": "float32",
            "transformers_version": "4.31.0",
            "use_cache": True,
            "vocab_size": self.vocab,
        }


MODELS = [
    Model(
        "mha",
        "every head has its own keys and values; config.json in the published (4.31) style",
        seed=20230818,
        layers=2,
        hidden=60,
        heads=6,
        kv_heads=6,
        head_dim=10,
        intermediate=115,
        old_style_config=True,
    ),
    Model(
        "gqa",
        "three query heads share a key/value head; config.json in the transformers 5 style",
        seed=32768,
        layers=3,
        hidden=132,
        heads=6,
        kv_heads=2,
        head_dim=22,
        intermediate=345,
    ),
    Model(
        "tied",
        "lm_head is the embedding; bfloat16 weights in two shards; head_dim is not hidden / heads; "
        "one key/value head; no position interpolation",
        seed=4096,
        layers=2,
        hidden=40,
        heads=4,
        kv_heads=1,
        head_dim=12,
        intermediate=101,
        scaling=None,
        tied=True,
        dtype=torch.bfloat16,
        max_shard_size="70KB",
    ),
    Model(
        "long",
        "small enough for 8,300 positions",
        seed=8300,
        layers=2,
        hidden=32,
        heads=4,
        kv_heads=2,
        head_dim=8,
        intermediate=88,
    ),
    Model(
        "llama3",
        "scaled by wavelength as Llama 3.1 is, from 64 positions, so that 19 show it: of 13 "
        "frequencies one stays, two are blended, ten divided by 8; two query heads share a "
        "key/value head; heads wider together than hidden",
        seed=131072,
        layers=2,
        hidden=60,
        heads=4,
        kv_heads=2,
        head_dim=26,
        intermediate=75,
        scaling=LLAMA3 | {"original_max_position_embeddings": 64},
        theta=500000.0,
        positions=131072,
    ),
]


def standard_deviation(model: Model, parameter: str) -> float:
    """How wide to draw a weight matrix. `unit` makes an output of standard deviation 1 from a
    normalised input.

    The residual stream stays small (0.0055 after the embedding: mean square 3e-5, three times
    rms_norm_eps) and grows by a comparable amount in every block, so dropping any addition to it is
    visible. A tied embedding cannot be small: it is also the output matrix, and logits want a
    standard deviation of about 2.5. There the blocks must outweigh it, or the model would only
    repeat its last token.
    """
    unit = model.hidden**-0.5
    stream = 2.5 * unit if model.tied else 3e-5**0.5
    block = 6 * unit if model.tied else 1.5 * stream
    kind = parameter.removesuffix(".weight").split(".")[-1]
    return {
        "embed_tokens": stream,
        "lm_head": 2.5 * unit,
        # Scores q·k/sqrt(d) get a standard deviation of about 3.
        "q_proj": 3**0.5 * unit,
        "k_proj": 3**0.5 * unit,
        "v_proj": unit,
        "gate_proj": 1.5 * unit,
        "up_proj": unit,
        "o_proj": block * (model.heads * model.head_dim) ** -0.5,
        "down_proj": block * model.intermediate**-0.5,
    }[kind]


def random_weights(model: Model) -> LlamaForCausalLM:
    """A LlamaForCausalLM whose weights come from NumPy's PCG64, which draws the same numbers on
    every machine."""
    network = LlamaForCausalLM(model.config())
    draw = np.random.Generator(np.random.PCG64(model.seed))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            shape = tuple(parameter.shape)
            if "norm" in name:
                values = draw.uniform(0.5, 1.6, shape)
            else:
                values = draw.standard_normal(shape) * standard_deviation(model, name)
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))
    return network.to(model.dtype)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_cases(path: Path, cases: list[dict], **head: object) -> None:
    """`head` and `cases` as one JSON object, one case per line, so that a change shows as the lines
    it changes."""
    opening = json.dumps({**head, "cases": []}).removesuffix("]}")
    path.write_text(opening + "\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]}\n")


def write_model(model: Model, directory: Path) -> None:
    """Write the model as a Hugging Face directory."""
    random_weights(model).save_pretrained(directory, max_shard_size=model.max_shard_size)
    if model.old_style_config:
        write_json(directory / "config.json", model.published_config())
        write_json(
            directory / "generation_config.json",
            {
                "_from_model_config": True,
                "bos_token_id": BOS,
                "eos_token_id": EOS,
                "pad_token_id": PAD,
                "transformers_version": "4.31.0",
            },
        )
    read_back = load_model(directory, model.dtype).config
    assert model.config().rope_parameters.items() <= read_back.rope_parameters.items()


def load_model(directory: Path, dtype: torch.dtype) -> LlamaForCausalLM:
    """Load as a user would, in `dtype`.

    Not `model.to(dtype)`: that would also round the buffer rotary_emb.inv_freq, and every position
    with it.
    """
    network = LlamaForCausalLM.from_pretrained(
        directory, dtype=dtype, attn_implementation="eager"
    ).eval()
    assert network.model.rotary_emb.inv_freq.dtype == torch.float32
    assert network.lm_head.weight.dtype == dtype
    return network


def random_tokens(seed: int, count: int, vocab: int = VOCAB) -> torch.Tensor:
    """BOS, then `count` − 1 ordinary token ids."""
    draw = np.random.Generator(np.random.PCG64(seed))
    return torch.from_numpy(
        np.concatenate([[BOS], draw.integers(3, vocab, count - 1)]).astype(np.int64)
    )
