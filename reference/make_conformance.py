"""Write golden/conformance/, the conformance pack. See README.md here for how, and
golden/conformance/README.md for what."""

import argparse
import shutil
import tempfile
from pathlib import Path

import torch
import transformers
from conformance.goldens import add_goldens
from conformance.metamorphic import add_metamorphic
from conformance.mutants import add_mutants
from conformance.operations import add_operations
from conformance.pack import Pack
from conformance.quantized import add_quantized
from conformance.sampler import add_sampler
from conformance.tokenizer import add_tokenizer
from make_blocks import GGML
from manifest import add_to_manifest
from models import load_model

GOLDEN = Path(__file__).parent.parent / "golden"
NAME = "conformance"


def build(directory: Path, ggml: Path) -> None:
    """Write all of the pack but its README."""
    pack = Pack(directory)
    add_goldens(pack)
    add_mutants(pack)
    add_quantized(pack, ggml)
    add_operations(pack)
    add_tokenizer(pack, GOLDEN)
    toy = load_model(directory / "toy", torch.float64)
    add_sampler(pack, toy)
    add_metamorphic(pack, toy)
    pack.write_manifest()


def install(directory: Path) -> None:
    """Replace what golden/ has by what was built, only now that all of it was."""
    target = GOLDEN / NAME
    if (target / "README.md").exists():
        shutil.copy(target / "README.md", directory)
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(directory, target)
    target.chmod(0o755)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--ggml", type=Path, default=GGML, help="libggml-base.so, such as bench/peers installs"
    )
    ggml = parser.parse_args().ggml

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / NAME
        directory.mkdir()
        build(directory, ggml)
        install(directory)
    add_to_manifest(GOLDEN, NAME, "of the conformance pack; its own manifest.json says what")


if __name__ == "__main__":
    main()
