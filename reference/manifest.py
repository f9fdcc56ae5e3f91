"""golden/manifest.json, where more than one script writes to it:
`python reference/manifest.py DIRECTORY WHAT` replaces the entries of one directory."""

import argparse
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from safetensors import safe_open

# Directories of golden/ with a script of their own; `make_golden.py` leaves them and their entries
# alone.
OTHERS = ["blocks", "byte-level", "chat", "conformance", "conversations", "dumps", "gguf", "nan"]
OTHERS += ["perplexity", "pytorch", "saved-models", "saved-tokenizers", "small-smollm2", "smollm2"]
OTHERS += ["text", "tiny-32k"]


def entry(path: Path, what: str) -> dict:
    """What the manifest says of a file."""
    described = {
        "what": what,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    if path.suffix == ".safetensors":
        with safe_open(path, "np") as file:
            described["dtypes"] = sorted({file.get_slice(name).get_dtype() for name in file.keys()})
    return described


def kept_entries(golden: Path) -> dict:
    """Those of the other scripts' files."""
    files = json.loads((golden / "manifest.json").read_text())["files"]
    return {path: described for path, described in files.items() if path.split("/")[0] in OTHERS}


def add_to_manifest(golden: Path, directory: str, what: str) -> None:
    """Replace the entries of `directory` by those of the files that are in it now."""
    manifest = json.loads((golden / "manifest.json").read_text())
    files = {
        path: described
        for path, described in manifest["files"].items()
        if not path.startswith(f"{directory}/")
    }
    for path in (golden / directory).rglob("*"):
        if path.suffix in (".md", ".svg") or path.is_dir():
            continue
        path.chmod(0o644)
        files[str(path.relative_to(golden))] = entry(path, what)
    manifest["files"] = dict(sorted(files.items()))
    manifest["versions"]["gguf"] = version("gguf")
    (golden / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("what")
    arguments = parser.parse_args()
    add_to_manifest(Path(__file__).parent.parent / "golden", arguments.directory, arguments.what)
