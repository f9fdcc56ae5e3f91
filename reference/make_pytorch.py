"""Write golden/pytorch: checkpoints by torch.save, of the weights of golden/mha, golden/tied and
golden/long, and of views of every kind."""

import shutil
from pathlib import Path

import torch
from manifest import add_to_manifest
from models import load_model, write_json
from safetensors.torch import save_file

GOLDEN = Path(__file__).parent.parent / "golden"
WEIGHTS = "pytorch_model.bin"

DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    # There are no classes of storage for these; torch.save describes them in another way.
    torch.uint64, torch.uint32, torch.uint16, torch.float8_e4m3fn, torch.float8_e5m2,
]  # fmt: skip


def copy_config(source: Path, directory: Path) -> None:
    for file in ("config.json", "generation_config.json"):
        shutil.copy(source / file, directory)


def write_plain(source: Path, directory: Path) -> None:
    """One file, float32."""
    copy_config(source, directory)
    torch.save(load_model(source, torch.float32).state_dict(), directory / WEIGHTS)


def write_tied(source: Path, directory: Path) -> None:
    """One file, bfloat16. The output matrix is the embedding: two tensors with the same storage."""
    copy_config(source, directory)
    state = load_model(source, torch.bfloat16).state_dict()
    assert state["lm_head.weight"].data_ptr() == state["model.embed_tokens.weight"].data_ptr()
    torch.save(state, directory / WEIGHTS)


def write_sharded(source: Path, directory: Path) -> None:
    """Two files and an index, float16, as transformers 4.31 saved the published model: with its
    rounded frequencies."""
    copy_config(source, directory)
    network = load_model(source, torch.float32)
    state = {name: tensor.half() for name, tensor in network.state_dict().items()}
    for layer in range(len(network.model.layers)):
        state[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = (
            network.model.rotary_emb.inv_freq.half()
        )
    shards = [{}, {}]
    for name, tensor in state.items():
        shards[0 if "embed" in name or ".layers.0." in name else 1][name] = tensor
    weight_map = {}
    for number, shard in enumerate(shards, start=1):
        file = f"pytorch_model-{number:05}-of-{len(shards):05}.bin"
        torch.save(shard, directory / file)
        weight_map |= dict.fromkeys(shard, file)
    total = sum(tensor.nbytes for tensor in state.values())
    write_json(
        directory / f"{WEIGHTS}.index.json",
        {"metadata": {"total_size": total}, "weight_map": weight_map},
    )


def views() -> dict[str, torch.Tensor]:
    """Every way in which a tensor can lie in its storage, and every dtype."""
    draw = torch.Generator().manual_seed(1950)
    matrix = torch.randn(33, 20, generator=draw).half()
    cube = torch.randn(3, 4, 5, generator=draw)
    octets = torch.randint(0, 256, (13, 8), generator=draw, dtype=torch.uint8)
    found = {
        "matrix": matrix,
        "the same matrix": matrix,
        "transposed": matrix.t(),
        "columns": matrix[:, 3:10],
        "rows": matrix[4:7],
        "every third row": matrix[1::3],
        "every third row, transposed": matrix[1::3].t(),
        "diagonal": matrix.diagonal(),
        "one element": matrix[7, 3],
        "a row, repeated": matrix[2].expand(6, 20),
        "a column, repeated": matrix[:, 5:6].expand(33, 4),
        "cube": cube,
        "permuted": cube.permute(2, 0, 1),
        "permuted, in part": cube.permute(1, 2, 0)[1:3, ::2],
        "repeated inside": cube[:, 1, None].expand(3, 2, 5),
        "a parameter": torch.nn.Parameter(torch.randn(5, 7, generator=draw).bfloat16()),
        "a parameter without gradient, transposed": torch.nn.Parameter(
            cube[0].t(), requires_grad=False
        ),
        "scalar": torch.tensor(0.1, dtype=torch.float64),
        "empty": torch.zeros(0, 3),
        "empty inside": torch.zeros(4, 0, dtype=torch.bfloat16),
        "torch.bool": octets[0] > 127,
    }
    for dtype in DTYPES:
        # Copied, because torch.save refuses to write one storage in two dtypes.
        found[str(dtype)] = octets.clone().view(dtype)
        found[f"{dtype}, transposed"] = octets.clone().view(dtype).t()
    return found


def write_views(directory: Path) -> None:
    found = views()
    torch.save(found, directory / "protocol2.bin")
    torch.save(found, directory / "protocol4.bin", pickle_protocol=4)
    copies = {name: tensor.detach().contiguous().clone() for name, tensor in found.items()}
    save_file(copies, directory / "contiguous.safetensors")
    # Without tensors: the storages of this format are named after their addresses, which are never
    # the same.
    torch.save({}, directory / "legacy.bin", _use_new_zipfile_serialization=False)


def new_directory(name: str) -> Path:
    directory = GOLDEN / "pytorch" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def main() -> None:
    write_sharded(GOLDEN / "mha", new_directory("mha"))
    write_tied(GOLDEN / "tied", new_directory("tied"))
    write_plain(GOLDEN / "long", new_directory("long"))
    write_views(new_directory("views"))
    add_to_manifest(
        GOLDEN,
        "pytorch/mha",
        "the model in mha/, in float16, by torch.save: two files and their index",
    )
    add_to_manifest(GOLDEN, "pytorch/tied", "the model in tied/, by torch.save")
    add_to_manifest(GOLDEN, "pytorch/long", "the model in long/, by torch.save")
    add_to_manifest(
        GOLDEN,
        "pytorch/views",
        "tensors that are views of others, by torch.save, and as safetensors",
    )


if __name__ == "__main__":
    main()
