"""Writes golden/saved-models: whole directories as `save_pretrained` of transformers leaves them,
without what is elsewhere or not ours to ship.

Two environments, one for each version, both with sentencepiece and protobuf, in this order:

    .venv/bin/python reference/make_saved_models.py WORK     # transformers 5 saves the published
    .venv4/bin/python reference/make_saved_models.py WORK    # transformers 4 saves that again

WORK is a directory for what they save, whole.

`tiny-32k/` is complete but for the weights; that they are those of golden/tiny-32k, tensor by
tensor, is checked here. Of stories260k and of Llama 2's tokenizer, which are in ../shared,
the vocabulary is left out: a tokenizer.json has neither `vocab` nor `merges`, and `ids.json` a
checksum of them, so that a test that has the tokenizer.model can put them back. The model beside
Llama 2's tokenizer is a random one, as small as 32,000 tokens allow, and in `llama2/published/`.

`ids.json` has what the saved directory makes of the texts of golden/saved-tokenizers: ids by text,
or the first characters of their SHA-256.

Transformers 4 knows no class TokenizersBackend, nor a list of extra_special_tokens, which version 5
writes: its users name PreTrainedTokenizerFast, and pass no extra tokens.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
import transformers
from manifest import add_to_manifest
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

ROOT = Path(__file__).parent.parent / "golden"
SHARED = ROOT.parent.parent / "shared"
TARGET = ROOT / "saved-models"
MAJOR = transformers.__version__.split(".")[0]
SOURCES = {
    "tiny-32k": ROOT / "tiny-32k",
    "stories260k": SHARED / "models" / "stories260k",
    "llama2": SHARED / "tokenizers" / "llama2",
}
PROBE = [1, 5, 300, 7, 41, 2, 9, 300, 300, 77]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def checksum(model: dict) -> str:
    """Of the pieces by id, and the merges in their order."""
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    return sha256(json.dumps([pieces, model["merges"]], ensure_ascii=False, separators=(",", ":")))


def open_tokenizer(directory: Path):
    """As one opens it: the published one by its kind, what version 5 saved by its file."""
    if not (directory / "tokenizer.json").exists():
        return AutoTokenizer.from_pretrained(directory)
    if MAJOR == "4":
        return PreTrainedTokenizerFast.from_pretrained(directory, extra_special_tokens={})
    return AutoTokenizer.from_pretrained(directory)


def published(name: str, directory: Path) -> Path:
    """A copy of the published model; of Llama 2, the tokenizer beside a random model."""
    source = SOURCES[name]
    directory.mkdir(parents=True)
    for file in (*source.glob("*config.json"), *source.glob("*.safetensors")):
        if file.name != "logits.safetensors":
            shutil.copy(file, directory)
    shutil.copy(source / "tokenizer.model", directory)
    if name == "llama2":
        random_model().save_pretrained(directory)
        target = TARGET / name / "published"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in (directory / "model.safetensors", *directory.glob("*config.json")):
            shutil.copy(file, target)
    return directory


def random_model() -> LlamaForCausalLM:
    """As many tokens as Llama 2 has, and otherwise little; positions stretched by 8."""
    torch.manual_seed(32000)
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=8,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=32768,
        rms_norm_eps=1e-5,
        initializer_range=0.5,
        tie_word_embeddings=True,
        rope_scaling={"rope_type": "linear", "factor": 8.0, "rope_theta": 10000.0},
    )
    return LlamaForCausalLM(config).to(torch.bfloat16).eval()


def saved(name: str, source: Path, directory: Path) -> Path:
    """What the running version saves of `source`."""
    if (source / "model.safetensors").exists():
        model = AutoModelForCausalLM.from_pretrained(source, dtype="auto")
        model.save_pretrained(directory)
        before, after = (load_file(d / "model.safetensors") for d in (source, directory))
        assert before.keys() == after.keys(), name
        assert all(torch.equal(before[key], after[key]) for key in before), name
        again = AutoModelForCausalLM.from_pretrained(directory, dtype="auto")
        logits = [m(torch.tensor([PROBE])).logits for m in (model, again)]
        assert torch.equal(*logits), name
    open_tokenizer(source).save_pretrained(directory)
    return directory


def ids_of(directory: Path) -> list[str]:
    """By `tokenizers` from the file, which is what the saving version gives, opened again."""
    texts = json.loads((ROOT / "saved-tokenizers" / "ids.json").read_text())["texts"]
    opened = PreTrainedTokenizerFast(tokenizer_file=str(directory / "tokenizer.json"))
    ids = opened(texts, add_special_tokens=False).input_ids
    assert ids == open_tokenizer(directory)(texts, add_special_tokens=False).input_ids
    return [" ".join(map(str, each)) for each in ids]


def keep(name: str, directory: Path, golden: dict) -> None:
    """Small files to golden/, and what is not shipped as checksums."""
    target = TARGET / name / MAJOR
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in directory.glob("*.json"):
        shutil.copy(file, target)
    ids = ids_of(directory)
    if name != "tiny-32k":
        file = target / "tokenizer.json"
        content = json.loads(file.read_text())
        golden["vocabularies"][MAJOR] = checksum(content["model"])
        del content["model"]["vocab"], content["model"]["merges"]
        file.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        ids = [sha256(each)[:8] for each in ids]
    same = next((other for other, list_ in golden["ids"].items() if list_ == ids), None)
    golden["ids"][MAJOR] = same or ids
    golden["versions"][MAJOR] = transformers.__version__


def main(work: Path) -> None:
    for name in SOURCES:
        file = TARGET / name / "ids.json"
        golden = {"versions": {}, "vocabularies": {}, "ids": {}}
        source = work / name / "5"
        if MAJOR == "4":
            content = json.loads(file.read_text())
            golden = {key: {k: v for k, v in content[key].items() if k == "5"} for key in golden}
        else:
            source = published(name, work / name / "published")
        keep(name, saved(name, source, work / name / MAJOR), golden)
        file.write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n")
    add_to_manifest(ROOT, "saved-models", "directories saved by transformers; ids of texts")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    main(parser.parse_args().work)
