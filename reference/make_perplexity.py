"""Writes golden/perplexity: what transformers finds a text's perplexity to be, in float64, however
the text is cut.

`chunks` and `ppl_stride` are cut as llama-perplexity does it (llama.cpp, tools/perplexity),
`stride` by the loop of Hugging Face's guide, "Perplexity of fixed-length models": targets that a
window shares with the one before are −100, and the loss of `LlamaForCausalLM` passes them over.

With the GGUF file of SmolLM2-135M-Instruct (`node scripts/fetch-smollm2.js` says where it is) that
model's, too, of golden/text.
"""

import argparse
from pathlib import Path

import torch
from gguf import GGUFReader
from manifest import add_to_manifest
from models import BOS, load_model, random_tokens, write_cases
from safetensors.torch import load_file
from smollm2 import read_network, read_tokenizer
from tracing import in_float64
from transformers import LlamaForCausalLM

GOLDEN = Path(__file__).parent.parent / "golden"
IGNORED = -100


def target_of(tokens: torch.Tensor, first: int) -> torch.Tensor:
    """The tokens from `first` on, which are to be scored; the others are to be ignored."""
    target = tokens.clone()
    target[:first] = IGNORED
    return target


def chunks(tokens: torch.Tensor, ctx_size: int, bos: bool):
    """Input and target of each chunk. The first half is context; so is the token after it, which
    the last logits of that half foretell."""
    for start in range(0, len(tokens) - ctx_size + 1, ctx_size):
        chunk = tokens[start : start + ctx_size].clone()
        if bos:
            chunk[0] = BOS
        yield start, chunk, target_of(chunk, ctx_size // 2 + 1)


def overlapping(tokens: torch.Tensor, ctx_size: int, ppl_stride: int):
    """Windows of half a stride more than the context, which score their last stride."""
    length = ctx_size + ppl_stride // 2
    start = 0
    while start < len(tokens) - length:
        window = tokens[start : start + length]
        yield start, window, target_of(window, length - ppl_stride)
        start += ppl_stride


def sliding(tokens: torch.Tensor, ctx_size: int, stride: int):
    """The guide's loop."""
    previous_end = 0
    for begin in range(0, len(tokens), stride):
        end = min(begin + ctx_size, len(tokens))
        window = tokens[begin:end]
        yield begin, window, target_of(window, len(window) - (end - previous_end))
        previous_end = end
        if end == len(tokens):
            break


@torch.no_grad()
def nlls_of(network: LlamaForCausalLM, window: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """−log p of every target that is not ignored. The loss of transformers, which is of logits in
    float32, is their mean."""
    output = network(window[None], labels=target[None], use_cache=False)
    logprobs = output.logits[0, :-1].double().log_softmax(-1)
    scored = target[1:] != IGNORED
    nlls = -logprobs[scored].gather(1, target[1:][scored][:, None])[:, 0]
    assert torch.isclose(output.loss.double(), nlls.mean(), rtol=1e-5)
    return nlls


def case(network: LlamaForCausalLM, tokens: torch.Tensor, cut, **options) -> dict:
    """A text cut one way: its windows, and the perplexity with its standard error."""
    windows, all_nlls = [], []
    for start, window, target in cut(tokens, **options):
        nlls = nlls_of(network, window, target)
        all_nlls.append(nlls)
        mean = nlls.mean().item()
        windows.append({"start": start, "end": start + len(window), "tokens_scored": len(nlls),
                        "mean_nll": mean})
    nlls = torch.cat(all_nlls)
    perplexity = nlls.mean().exp()
    error = perplexity * nlls.std() / len(nlls) ** 0.5
    return {**options, "perplexity": perplexity.item(), "standard_error": error.item(),
            "windows": windows}


def float32_error(single: list[dict], double: list[dict]) -> float:
    """How far float32 is from float64 at most: of any window's mean in nats, of any perplexity and
    standard error as a part of it."""
    means = [
        ours["mean_nll"] - truth["mean_nll"]
        for one, other in zip(single, double)
        for ours, truth in zip(one["windows"], other["windows"])
    ]
    parts = [
        one[key] / other[key] - 1
        for one, other in zip(single, double)
        for key in ("perplexity", "standard_error")
    ]
    return max(map(abs, means + parts))


def write(
    name: str,
    network: LlamaForCausalLM,
    tokens: torch.Tensor,
    cuts: list[tuple],
    single: LlamaForCausalLM | None = None,
) -> None:
    """`network` is in float64; `cuts`: a way to cut the text, and its options. `single`: the same
    in float32, where that is far from float64."""
    with in_float64():
        cases = [case(network, tokens, cut, **options) for cut, options in cuts]
    head = {}
    if single is not None:
        rounded = [case(single, tokens, cut, **options) for cut, options in cuts]
        head = {"float32_error": float32_error(rounded, cases)}
    directory = GOLDEN / "perplexity"
    directory.mkdir(exist_ok=True)
    write_cases(directory / f"{name}.json", cases, **head, tokens=tokens.tolist())


def write_smollm2(path: Path) -> None:
    """The text begins without BOS, as the model's texts do."""
    reader = GGUFReader(path)
    text = (GOLDEN / "text" / "alice.txt").read_text("ascii")
    ids = read_tokenizer(reader)(text[:6000]).input_ids
    single = read_network(reader)
    double = read_network(reader).double()
    double.model.rotary_emb = single.model.rotary_emb  # frequencies are float32, see in_float64
    write("smollm2", double, torch.tensor(ids[:1100]), [
        (chunks, {"ctx_size": 512, "bos": False}),
        (sliding, {"ctx_size": 512, "stride": 294}),
    ])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("smollm2", type=Path, nargs="?")
    smollm2 = parser.parse_args().smollm2
    gqa, tiny = (load_model(GOLDEN / name, torch.float64) for name in ("gqa", "tiny-32k"))
    write("gqa", gqa, random_tokens(15, 200), [
        (chunks, {"ctx_size": 33, "bos": True}),
        (chunks, {"ctx_size": 50, "bos": False}),
        (overlapping, {"ctx_size": 40, "ppl_stride": 15}),
        (sliding, {"ctx_size": 50, "stride": 16}),
        (sliding, {"ctx_size": 33, "stride": 33}),
        (sliding, {"ctx_size": 260, "stride": 7}),
    ])
    # a text of its own world
    tokens = load_file(GOLDEN / "tiny-32k" / "logits.safetensors")["tokens"]
    cuts = [
        (chunks, {"ctx_size": 256, "bos": True}),
        (sliding, {"ctx_size": 256, "stride": 128}),
    ]
    write("tiny-32k", tiny, tokens[:1100], cuts, load_model(GOLDEN / "tiny-32k", torch.float32))
    if smollm2 is not None:
        write_smollm2(smollm2)
    add_to_manifest(GOLDEN, "perplexity", "transformers' perplexity of token ids, in float64")


if __name__ == "__main__":
    main()
