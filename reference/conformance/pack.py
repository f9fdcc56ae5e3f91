"""manifest.json of the pack: every file with its checksum, what it is, and what computed it."""

import hashlib
import json
import platform
import re
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save

FORMAT = 1
PACKAGES = ["torch", "transformers", "numpy", "safetensors", "gguf", "sentencepiece"]


class Pack:
    """A directory that is being filled, and what is to be said of its files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files: dict[str, dict] = {}
        self.sequences: list[dict] = []

    def path(self, name: str) -> Path:
        """Where the file `name` is to be written; its folder is there."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def save(
        self, name: str, tensors: dict[str, torch.Tensor], metadata: dict, what: str, by: str
    ) -> None:
        """Write and enter a safetensors file. Metadata are JSON, in the order of their names, in
        which the library does not write them."""
        texts = {key: json.dumps(value, ensure_ascii=False) for key, value in metadata.items()}
        contiguous = {key: tensor.contiguous() for key, tensor in tensors.items()}
        self.path(name).write_bytes(in_order(save(contiguous, texts)))
        self.add(name, what, by)

    def add(self, name: str, what: str, by: str) -> None:
        """Enter a file that is there now. `by` says what computed it."""
        content = self.path(name).read_bytes()
        self.files[name] = {
            "what": what,
            "by": by,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }

    def write_manifest(self) -> None:
        manifest = {
            "format": FORMAT,
            "written by": "reference/make_conformance.py",
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in PACKAGES},
            },
            "machine": (
                f"{platform.machine()}, PyTorch kernels for "
                f"{torch.backends.cpu.get_cpu_capability()}, one thread"
            ),
            "sequences": self.sequences,
            "files": dict(sorted(self.files.items())),
        }
        path = self.directory / "manifest.json"
        path.write_text(
            numbers_on_one_line(json.dumps(manifest, indent=2, ensure_ascii=False)) + "\n"
        )


def in_order(content: bytes) -> bytes:
    """The same safetensors file with its metadata sorted."""
    data = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:data])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":"))
    return content[:8] + text.encode().ljust(data - 8) + content[data:]


def numbers_on_one_line(text: str) -> str:
    """Indented JSON with its lists of numbers each on a line."""
    return re.sub(r"\[[\s\d,.e-]+\]", lambda found: json.dumps(json.loads(found[0])), text)
