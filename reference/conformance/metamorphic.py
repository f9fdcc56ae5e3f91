"""Ways to read a text that must give the same logits: no golden is needed to see that they do not.

Each is tried with transformers in float64 first; the distance found is written down.
"""

import json
import math

import torch
from conformance.goldens import logits
from conformance.pack import Pack, numbers_on_one_line
from conformance.sequences import TOY
from models import load_model
from tracing import in_float64
from transformers import DynamicCache, LlamaForCausalLM

NAME = "metamorphic.json"
TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
CHUNKS = [1, 64, 100, 256]
KEPT = [65, 320, 512]
SHIFTS = [1, 64, 4096, 32127]
# First and last token of texts that are in a batch.
BATCH = [[0, 639], [200, 332], [5, 5], [300, 363]]
RESET = [[0, 299], [300, 599]]


def distance(x: torch.Tensor, truth: torch.Tensor) -> float:
    """Of the row that is farthest: ‖x − truth‖ / ‖truth‖."""
    return ((x - truth).norm(dim=-1) / truth.norm(dim=-1)).max().item()


def chunked(network: LlamaForCausalLM, tokens: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    cache = DynamicCache(config=network.config)
    rows = [
        network(chunk[None], cache=cache, use_cache=True).logits[0] for chunk in tokens.split(sizes)
    ]
    return torch.cat(rows)


def resumed(network: LlamaForCausalLM, tokens: torch.Tensor, kept: int) -> torch.Tensor:
    """Read, cut back to the first `kept` tokens, and read on."""
    cache = DynamicCache(config=network.config)
    before = network(tokens[None], cache=cache, use_cache=True).logits[0, :kept]
    cache.crop(kept - len(tokens))
    after = network(tokens[None, kept:], cache=cache, use_cache=True).logits[0]
    return torch.cat((before, after))


def shifted(network: LlamaForCausalLM, tokens: torch.Tensor, by: int) -> torch.Tensor:
    """At positions from `by` on. The mask says that it is one text."""
    positions = torch.arange(len(tokens))[None] + by
    mask = torch.ones(1, len(tokens), dtype=torch.int64)
    return network(tokens[None], position_ids=positions, attention_mask=mask).logits[0]


def batched(network: LlamaForCausalLM, texts: list[torch.Tensor]) -> list[torch.Tensor]:
    """All at once, the shorter ones padded on the right."""
    padded = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
    lengths = torch.tensor([len(text) for text in texts])
    mask = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
    rows = network(padded, attention_mask=mask).logits
    return [row[: len(text)] for row, text in zip(rows, texts)]


def after_reset(network: LlamaForCausalLM, texts: list[torch.Tensor]) -> torch.Tensor:
    cache = DynamicCache(config=network.config)
    for text in texts:
        cache.crop(-cache.get_seq_length())
        rows = network(text[None], cache=cache, use_cache=True).logits[0]
    return rows


def slices(tokens: torch.Tensor, bounds: list[list[int]]) -> list[torch.Tensor]:
    return [tokens[first : last + 1] for first, last in bounds]


@torch.no_grad()
def cases(network: LlamaForCausalLM, tokens: torch.Tensor) -> list[dict]:
    """With the largest distance of each in float64."""

    def alone(text: torch.Tensor) -> torch.Tensor:
        return logits(network, text, list(range(len(text))))

    whole, texts = alone(tokens), slices(tokens, BATCH)
    first, second = slices(tokens, RESET)
    with in_float64():
        chunks = [chunked(network, tokens, size) for size in CHUNKS]
        resumptions = [resumed(network, tokens, kept) for kept in KEPT]
        shifts = [shifted(network, tokens, by) for by in SHIFTS]
        together = batched(network, texts)
        again = after_reset(network, [first, second])
    return [
        {
            "kind": "chunks",
            "sizes": CHUNKS,
            "what": "the text in chunks of this many tokens (the last may be shorter), or whole",
            "distances": [distance(rows, whole) for rows in chunks],
        },
        {
            "kind": "resumed",
            "kept": KEPT,
            "what": "the text read, cut back to its first tokens, and read on, or read once",
            "distances": [distance(rows, whole) for rows in resumptions],
        },
        {
            "kind": "batch",
            "texts": BATCH,
            "what": "parts of the text (first and last token of each, both included) in one "
            "batch, or each alone; every part begins at position 0",
            "distances": [distance(rows, alone(text)) for rows, text in zip(together, texts)],
        },
        {
            "kind": "reset",
            "texts": RESET,
            "what": "the second part after the first, everything being forgotten between, or alone",
            "distances": [distance(again, alone(second))],
        },
        {
            "kind": "shift",
            "by": SHIFTS,
            "what": "all positions greater by this much: RoPE knows differences only. Angles are "
            "float32 numbers, which are coarser far away: their distance is added to the tolerance",
            "distances": [distance(rows, whole) for rows in shifts],
        },
    ]


def tolerances(network: LlamaForCausalLM, pack: Pack) -> dict[str, float]:
    """What two honest ways may differ by: either may be as far from the truth as transformers is in
    that type, and twice that, since others add up in other orders."""
    everywhere = list(range(TOY.length))
    truth = logits(network, TOY.tokens, everywhere)
    found = {"f64": 1e-12}
    for name, dtype in TYPES.items():
        rounded = load_model(pack.path(TOY.model.name), dtype)
        with torch.no_grad():
            rows = rounded(TOY.tokens[None], use_cache=False).logits[0]
        found[name] = two_digits(4 * distance(rows.double(), truth))
    return found


def two_digits(x: float) -> float:
    """Rounded up."""
    step = 10.0 ** (math.floor(math.log10(x)) - 1)
    return float(f"{math.ceil(x / step) * step:.1e}")


def add_metamorphic(pack: Pack, network: LlamaForCausalLM) -> None:
    listed = cases(network, TOY.tokens)
    for case in listed:
        if case["kind"] != "shift":
            assert max(case["distances"]) < 1e-12, case
        case["distances"] = [float(f"{x:.1e}") for x in case["distances"]]
    text = {
        "model": TOY.model.name,
        "tokens": f"{TOY.model.name}/tokens.json",
        "distance": "‖a − b‖ / ‖b‖ of a row of logits, the largest of all rows; `distances` are "
        "those of transformers in float64",
        "tolerances": tolerances(network, pack),
        "how they were found": "four times the distance from float64 of transformers in that type: "
        "both ways may be that far away, and twice that, for others add up in other orders",
        "cases": listed,
    }
    indented = json.dumps(text, indent=2, ensure_ascii=False)
    pack.path(NAME).write_text(numbers_on_one_line(indented) + "\n")
    pack.add(NAME, "ways to read the toy's text that must give the same logits", "transformers")
