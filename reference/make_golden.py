"""Write golden/ from Hugging Face transformers. See README.md here for how, and golden/README.md
for what."""

import argparse
import json
import platform
import shutil
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from greedy import continuations
from manifest import entry, kept_entries
from models import (
    MODELS,
    Model,
    load_model,
    random_tokens,
    random_weights,
    write_cases,
    write_json,
    write_model,
)
from rope import LINEAR_CASES, LLAMA3_CASES, linear, llama3
from safetensors.torch import save_file
from sampling import sampling
from tracing import in_float64, trace

GOLDEN = Path(__file__).parent.parent / "golden"
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16, "f64": torch.float64}
TRACED = ["mha", "gqa", "llama3"]
CONTINUED = ["mha", "gqa", "tied", "llama3"]
LONG_TOKENS = 8300
LONG_POSITIONS = [0, 1, 7, 127, 128, 260, 4095, 4096, 4097, 8000, 8191, 8192, 8299]


def spread(x: torch.Tensor) -> float:
    return x.double().std().item()


def distance(x: torch.Tensor, truth: torch.Tensor) -> float:
    """The largest difference, in standard deviations of the truth."""
    return ((x.double() - truth).abs().max() / truth.std()).item()


def write_traces(model: Model, directory: Path) -> dict:
    """One trace per dtype; returns what the dtypes lose against float64 at the logits."""
    tokens = random_tokens(model.seed + 1, 19)
    traces = {}
    for name, dtype in DTYPES.items():
        network = load_model(directory, dtype)
        if name == "f64":
            with in_float64():
                traces[name] = trace(network, tokens)
        else:
            traces[name] = trace(network, tokens)
        for tensor_name, tensor in traces[name].items():
            assert tensor.dtype == (torch.int64 if tensor_name == "tokens" else dtype), tensor_name
        save_file(traces[name], directory / f"trace-{name}.safetensors")
    truth = traces["f64"]
    return {
        "embedding mean square": truth["model.embed_tokens"].pow(2).mean().item(),
        "logits std": spread(truth["lm_head"]),
        "mean largest probability": (
            truth["model.layers.0.self_attn.probabilities"].amax(-1).mean().item()
        ),
        "max |logits − f64| / std": {
            name: distance(traces[name]["lm_head"], truth["lm_head"])
            for name in DTYPES
            if name != "f64"
        },
    }


@torch.no_grad()
def long_logits(network, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    return network(tokens[None], use_cache=False, logits_to_keep=positions).logits[0]


def write_long(model: Model, directory: Path) -> dict:
    """Logits at a few of 8,300 positions in every dtype; returns their errors, and how much the
    RoPE factor matters."""
    tokens = random_tokens(model.seed + 1, LONG_TOKENS)
    positions = torch.tensor(LONG_POSITIONS)
    save_file({"tokens": tokens, "positions": positions}, directory / "tokens.safetensors")
    logits = {}
    for name, dtype in DTYPES.items():
        network = load_model(directory, dtype)
        if name == "f64":
            with in_float64():
                logits[name] = long_logits(network, tokens, positions)
        else:
            logits[name] = long_logits(network, tokens, positions)
        assert logits[name].dtype == dtype
        save_file({"logits": logits[name]}, directory / f"logits-{name}.safetensors")
    truth = logits["f64"]
    unscaled = random_weights(replace(model, scaling=None)).eval()
    difference = (long_logits(unscaled, tokens, positions) - logits["f32"]).abs().amax(-1) / spread(
        truth
    )
    far = difference[positions >= 4095]
    assert far.min() > 0.5, f"position interpolation hardly matters: {far}"
    return {
        "logits std": spread(truth),
        "max |logits − f64| / std": {
            name: distance(logits[name], truth) for name in DTYPES if name != "f64"
        },
        "smallest max |factor 8 − factor 1| / std at positions ≥ 4095": far.min().item(),
    }


def describe(path: Path) -> str:
    """What a file of golden/ is, by its name."""
    by_name = {
        "config.json": "the model's configuration",
        "generation_config.json": "defaults of generate()",
        "model.safetensors.index.json": "which tensor is in which shard",
        "tokenizer.model": "a copy of golden/tokenizer/tokenizer.model",
        "tokens.safetensors": "the token ids, and the positions whose logits are kept",
        "greedy.json": "prompts and their continuations by generate()",
        "sampling.json": "logits, parameters, and what the logits processors make of them",
    }
    if path.name in by_name:
        return by_name[path.name]
    if path.parent.name == "rope":
        return "inverse frequencies, cosines and sines"
    kind = path.name.split(".")[0].split("-")[0]
    return {
        "model": "weights",
        "trace": "every intermediate tensor of one forward pass",
        "logits": "logits at the kept positions",
    }[kind]


def manifest(out: Path, measured: dict) -> dict:
    files = kept_entries(GOLDEN)
    for path in (path for path in out.rglob("*") if path.is_file()):
        files[str(path.relative_to(out))] = entry(path, describe(path))
    return {
        "regenerate": "see reference/README.md",
        "versions": (
            {"python": platform.python_version()}
            | {
                name: version(name)
                for name in ("torch", "transformers", "numpy", "safetensors", "gguf")
            }
        ),
        "machine": (
            f"{platform.machine()}, PyTorch kernels for {torch.backends.cpu.get_cpu_capability()},"
            " one thread"
        ),
        "models": {model.name: {"what": model.what, "seed": model.seed} for model in MODELS},
        "measured": measured,
        "files": dict(sorted(files.items())),
    }


def build(out: Path) -> None:
    """Write all of golden/ but the README and the tokenizer."""
    measured = {}
    for model in MODELS:
        directory = out / model.name
        directory.mkdir()
        write_model(model, directory)
        if model.name in TRACED:
            measured[model.name] = write_traces(model, directory)
        if model.name in CONTINUED:
            cases = continuations(load_model(directory, torch.float32), model.seed + 100)
            write_cases(directory / "greedy.json", cases)
            measured.setdefault(model.name, {})["smallest margin"] = min(
                case["min_margin"] for case in cases
            )
            shutil.copy(GOLDEN / "tokenizer" / "tokenizer.model", directory)
        if model.name == "long":
            measured[model.name] = write_long(model, directory)
    (out / "rope").mkdir()
    for theta, head_dim, factor in LINEAR_CASES:
        save_file(
            linear(theta, head_dim, factor),
            out / "rope" / f"theta{theta}-d{head_dim}-factor{factor}.safetensors",
        )
    for name, parameters in LLAMA3_CASES.items():
        save_file(llama3(*parameters), out / "rope" / f"{name}.safetensors")
    write_cases(out / "sampling.json", **sampling(load_model(out / "gqa", torch.float32)))
    write_json(out / "manifest.json", manifest(out, measured))
    for path in out.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def differences(out: Path) -> list[str]:
    """Files of `out` that golden/ lacks or has with other bytes."""
    paths = [path.relative_to(out) for path in sorted(out.rglob("*")) if path.is_file()]
    return [
        str(path)
        for path in paths
        if not (GOLDEN / path).exists() or (GOLDEN / path).read_bytes() != (out / path).read_bytes()
    ]


def install(out: Path) -> None:
    """Replace what golden/ has by what was built, only now that all of it was."""
    for path in out.iterdir():
        target = GOLDEN / path.name
        if target.is_dir():
            shutil.rmtree(target)
        shutil.move(path, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="build aside and compare with golden/ byte by byte"
    )
    check = parser.parse_args().check

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        build(out)
        print(
            json.dumps(
                json.loads((out / "manifest.json").read_text())["measured"],
                indent=2,
                ensure_ascii=False,
            )
        )
        if check:
            changed = differences(out)
            print(
                "\n".join(["these files differ:", *changed])
                if changed
                else "golden/ is what this writes, byte for byte"
            )
            raise SystemExit(1 if changed else 0)
        install(out)


if __name__ == "__main__":
    main()
