"""Asks every engine that is installed for the logits of the conformance pack and of stories260k,
and the oracle what it thinks of them; prints the table of docs/oracle-engines.md.

    python3 reference/engines/run.py engines.json WORK_DIRECTORY STORIES260K [ENGINE ...]

`engines.json` says with which interpreter each engine runs, {"transformers": "…/bin/python", …};
those that are not in it are left out. `npm run build` must have been run, and bench/peers installed
for node-llama-cpp. Dumps that are in the working directory already are not made again.
"""

import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACK = ROOT / "golden/conformance"
OURS = ["node", ROOT / "dist/cli/main.js"]


class Job(NamedTuple):
    """One dump. `declared` is the type and the cache that the oracle is told."""

    engine: str
    variant: str
    model: str
    type: str
    declared: str
    cache: str | None = None


def jobs() -> list[Job]:
    """What is asked of whom."""
    models = ["toy", "blocks", "stories260k"]
    types = ["f32", "bf16", "f16"]
    full = [(model, kind) for model in models for kind in types]
    listed = []
    for engine in ("transformers", "transformers-4"):
        for variant in ("eager", "sdpa"):
            listed += [Job(engine, variant, *pair, pair[1]) for pair in full]
    listed += [Job("mlx", "", *pair, pair[1]) for pair in full]
    listed += [Job("openvino", "", *pair, pair[1]) for pair in full]
    listed += [Job("onnxruntime", "export", m, t, t) for m, t in full if t != "bf16"]
    listed += [Job("onnxruntime", "genai", m, t, t) for m, t in full if t != "bf16"]
    listed += [Job("ctranslate2", "", m, t, t) for m, t in full if m != "toy" and t != "f16"]
    listed += [Job("ctranslate2", "", m, "int8", "q8_0") for m in ("blocks", "stories260k")]
    ggufs = [("toy", t) for t in types] + [("blocks", t) for t in ["q8_0", "q4_k_m"]]
    ggufs += [("stories260k", t) for t in [*types, "q8_0", "q4_0"]]
    for engine in ("node-llama-cpp", "llama-cpp-python"):
        for model, kind in ggufs:
            listed.append(Job(engine, "", f"{model}.gguf", kind, kind, "f16"))
            listed.append(Job(engine, "f32", f"{model}.gguf", kind, kind, "f32"))
    listed += [
        Job("tinygrad", "", f"{m}.gguf", t, t, "f32") for m, t in ggufs if t in ("f32", "f16")
    ]
    listed += [Job("llama-32k", "exact", *pair, pair[1]) for pair in full]
    listed += [Job("llama-32k", "wasm", m, t, t, "f32") for m, t in full]
    listed += [Job("llama-32k", "wasm", f"{m}.gguf", t, t, "f32") for m, t in ggufs if "q" in t]
    for variant, engine in (("new-config", "mlx"), ("sdpa-new-config", "transformers-4")):
        listed.append(Job(engine, variant, "toy", "f32", "f32"))
    return listed


def place(model: str, kind: str, work: Path, stories: Path) -> tuple[Path, Path]:
    """The model's file or directory, and its text."""
    name = model.removesuffix(".gguf")
    text = work / "stories260k.json" if name == "stories260k" else PACK / name / "tokens.json"
    directory = stories if name == "stories260k" else PACK / name
    if name == model:
        return directory, text
    shipped = PACK / "gguf" / f"{name}-{kind}.gguf"
    return (shipped if shipped.exists() else made(directory, name, kind, work)), text


def made(directory: Path, name: str, kind: str, work: Path) -> Path:
    """A GGUF file of ours; their own ones of these numbers are the same but for metadata."""
    path = work / f"{name}-{kind}.gguf"
    if not path.exists():
        verb = "quantize" if "q" in kind else "convert"
        arguments = ["--model", directory, "--output", path, "--type", kind]
        subprocess.run([*OURS, verb, *arguments], check=True, capture_output=True)
    return path


def compute(job: Job, python: str, out: Path, work: Path, stories: Path) -> None:
    """Let the engine write its dump, if it is not there."""
    model, text = place(job.model, job.type, work, stories)
    if job.engine == "llama-32k":
        ids = work / f"{text.parent.name}-{text.stem}.ids"
        ids.write_text(json.dumps(json.loads(text.read_text())["tokens"]))
        command = [*OURS, "logits", "--kernels", job.variant, *numbers_of(job)]
        command += ["--model", model, "--tokens-file", ids, "--trace", out, "--names", "lm_head"]
    elif job.engine == "node-llama-cpp":
        script = HERE / "with_node_llama_cpp.js"
        command = ["node", script, model, text, out, job.variant or "f16"]
    else:
        script = HERE / f"with_{job.engine.removesuffix('-4').replace('-', '_')}.py"
        options = ["--type", job.type, "--variant", job.variant]
        command = [python, script, model, text, out, *options]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)


def numbers_of(job: Job) -> list[str]:
    """In which arithmetic our own engines compute."""
    if job.variant == "exact":
        return ["--numerics", job.type]
    weights = [] if job.model.endswith(".gguf") else ["--weights", job.type]
    return ["--threads", "1", *weights]


def judged(group: list[tuple[Job, Path]], work: Path, stories: Path) -> list[dict]:
    """What the oracle says of the dumps of one model, type and cache."""
    first = group[0][0]
    model, _ = place(first.model, first.type, work, stories)
    given = {"model": str(model), "type": first.declared, "dumps": [str(out) for _, out in group]}
    if first.cache is not None:
        given["cache"] = first.cache
    command = ["node", HERE / "judge.js", json.dumps(given)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in answer.splitlines()]


def main() -> None:
    interpreters = json.loads(Path(sys.argv[1]).read_text())
    work, stories, wanted = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]
    work.mkdir(parents=True, exist_ok=True)
    greedy = json.loads((stories / "greedy.json").read_text())
    story = {"tokens": greedy["prompt"] + greedy["tokens"]}
    (work / "stories260k.json").write_text(json.dumps(story))
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    asked = [
        job for job in jobs() if job.engine in interpreters and (not wanted or job.engine in wanted)
    ]
    there = []
    for job in asked:
        name = "_".join(x or "default" for x in job[:4])
        out = work / (name if job.engine == "node-llama-cpp" else f"{name}.safetensors")
        try:
            if not out.exists():
                compute(job, interpreters[job.engine], out, work, stories)
            there.append((job, out))
        except subprocess.SubprocessError as error:
            last = str(getattr(error, "stderr", error)).strip().splitlines()[-1:]
            print(f"| {row(job)} | does not run | | {' '.join(last)} |", flush=True)
    for _, pairs in groupby(sorted(there, key=budget_of), key=budget_of):
        group = list(pairs)
        for (job, _), answer in zip(group, judged(group, work, stories), strict=True):
            numbers = f"{answer['maxRatio']:.2f} | {answer['relL2']:.1e}"
            print(f"| {row(job)} | {answer['verdict']} | {numbers} |", flush=True)


def budget_of(pair: tuple[Job, Path]) -> tuple[str, ...]:
    """Dumps for which this is the same are judged by one budget."""
    job, _ = pair
    return job.model, job.type, job.declared, job.cache or ""


def row(job: Job) -> str:
    engine = " ".join(filter(None, [job.engine, job.variant]))
    declared = job.declared if job.cache is None else f"{job.declared}, cache {job.cache}"
    return f"{engine} | {job.model} | {job.type} | {declared}"


main()
