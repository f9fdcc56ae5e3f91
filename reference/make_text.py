"""Writes golden/text: an English text of which everybody may make copies, to measure models on.

Lewis Carroll, Alice's Adventures in Wonderland, chapters I to VI, as in the Canterbury Corpus
(alice29.txt: the Millennium Fulcrum edition, 2.9). The author died in 1898. The file comes in the
source distribution of the PyPI package Brotli, as one of its test data; its lines end with "\\n"
here, and what is before chapter I is left out.
"""

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

from manifest import add_to_manifest

GOLDEN = Path(__file__).parent.parent / "golden"
PACKAGE = "brotli==1.2.1"
ARCHIVE_SHA256 = "02b2f7b5a83485efe448a44ddf7983def05c3bb1dcf917d4f7154070260e13de"
MEMBER = "brotli-1.2.1/tests/testdata/alice29.txt"
MEMBER_SHA256 = "7467306ee0feed4971260f3c87421154a05be571d944e9cb021a5713700c38f0"
CHAPTERS = 6
PROVENANCE = (
    "Lewis Carroll, Alice's Adventures in Wonderland (1865, public domain), chapters I to VI, "
    f"Millennium Fulcrum edition 2.9; from the PyPI package {PACKAGE}, source distribution "
    f"(SHA-256 {ARCHIVE_SHA256}), {MEMBER} (SHA-256 {MEMBER_SHA256})"
)


def download() -> bytes:
    """The text in the package, with both checksums compared."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-q", "-d", folder]
        subprocess.run(["python", "-m", "pip", "download", *options, PACKAGE], check=True)
        (archive,) = Path(folder).iterdir()
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == ARCHIVE_SHA256
        with tarfile.open(archive) as members:
            text = members.extractfile(MEMBER).read()
    assert hashlib.sha256(text).hexdigest() == MEMBER_SHA256
    return text


def main() -> None:
    lines = download().decode("ascii").splitlines()
    chapters = [i for i, line in enumerate(lines) if line.strip().startswith("CHAPTER ")]
    kept = "\n".join(lines[chapters[0] : chapters[CHAPTERS]]).strip()
    directory = GOLDEN / "text"
    directory.mkdir(exist_ok=True)
    (directory / "alice.txt").write_bytes(f"{kept}\n".encode("ascii"))
    add_to_manifest(GOLDEN, "text", PROVENANCE)


if __name__ == "__main__":
    main()
