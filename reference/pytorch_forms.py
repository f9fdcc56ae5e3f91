"""Save a model with PyTorch in every form in which models are published, and ask llama-32k what it
makes of each.

    npm run build
    .venv/bin/python reference/pytorch_forms.py ../shared/models/stories260k

DIRECTORY is any small model in one safetensors file. Each form must give the logits of the same
numbers in a safetensors file, to the last bit, from both kinds of kernels; and in float32 the text
of greedy.json, if that is one list of tokens. Exit code 1 if one does not.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

PROGRAM = Path(__file__).parent.parent / "dist" / "cli" / "main.js"
WEIGHTS = "pytorch_model.bin"
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
KERNELS = [["--kernels", "exact", "--numerics", "f32"], ["--kernels", "wasm", "--threads", "1"]]
State = dict[str, torch.Tensor]


def write_one(state: State, directory: Path) -> None:
    torch.save(state, directory / WEIGHTS)


def write_two(state: State, directory: Path) -> None:
    """The first half of the tensors, the second half, and an index."""
    names = list(state)
    weight_map = {}
    for number, shard in enumerate([names[: len(names) // 2], names[len(names) // 2 :]], start=1):
        file = f"pytorch_model-{number:05}-of-00002.bin"
        torch.save({name: state[name] for name in shard}, directory / file)
        weight_map |= dict.fromkeys(shard, file)
    (directory / f"{WEIGHTS}.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )


def with_head(state: State) -> State:
    """The output matrix is the embedding: two tensors with the same storage."""
    return {**state, HEAD: state[EMBEDDING]}


def program(*arguments: str) -> dict:
    finished = subprocess.run(
        ["node", str(PROGRAM), *arguments, "--json"], stdout=subprocess.PIPE, check=True
    )
    return json.loads(finished.stdout)


def logits(directory: Path, tokens: list[int], kernels: list[str]) -> list[list[float]]:
    ids = ",".join(map(str, tokens))
    return program("logits", "--model", str(directory), "--tokens", ids, *kernels)["logits"]


def written(directory: Path, prompt: list[int], count: int) -> list[int]:
    ids = ",".join(map(str, prompt))
    return program(
        "generate", "--model", str(directory), "--tokens", ids, "--max-new-tokens", str(count)
    )["tokens"]


def check(source: Path, folder: Path) -> bool:
    others = [file for file in source.iterdir() if file.suffix not in (".safetensors", ".gguf")]
    story = (
        json.loads((source / "greedy.json").read_text())
        if (source / "greedy.json").exists()
        else {}
    )
    prompt, known = story.get("prompt"), story.get("tokens")
    vocabulary = json.loads((source / "config.json").read_text())["vocab_size"]
    tokens = [1, *known[:60]] if known else [1, *((7 * i) % vocabulary for i in range(1, 40))]
    original = load_file(source / "model.safetensors")
    passed = True

    def new_directory(name: str) -> Path:
        directory = folder / name
        directory.mkdir()
        for file in others:
            shutil.copy(file, directory)
        return directory

    for name, dtype in DTYPES.items():
        state = {key: tensor.to(dtype) for key, tensor in original.items()}
        twin = new_directory(f"{name}-safetensors")
        save_file(state, twin / "model.safetensors")
        expected = [logits(twin, tokens, kernels) for kernels in KERNELS]
        forms = {"one file": (write_one, state), "two files": (write_two, state)}
        if HEAD not in original:
            forms |= {
                "one file, tied": (write_one, with_head(state)),
                "two files, tied": (write_two, with_head(state)),
            }
        for form, (write, tensors) in forms.items():
            directory = new_directory(f"{name}, {form}")
            write(tensors, directory)
            good = [logits(directory, tokens, kernels) for kernels in KERNELS] == expected
            if known and name == "f32":
                good = good and written(directory, prompt, len(known)) == known
            print(f"{name:5} {form:16} {'the same' if good else 'ANOTHER MODEL'}")
            passed = passed and good
    return passed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    source = parser.parse_args().directory
    with tempfile.TemporaryDirectory() as folder:
        raise SystemExit(0 if check(source, Path(folder)) else 1)


if __name__ == "__main__":
    main()
