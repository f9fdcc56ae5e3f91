"""lm-evaluation-harness: `local-completions` against BASE, and `hf` with transformers.

Both in float64: of tiny-32k a float32 log-probability is off by 1e-4 and more, in transformers too.
"""

import os
import tempfile
from pathlib import Path

from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

BASE = os.environ["BASE"]
MODEL = os.environ["MODEL"]
HERE = Path(__file__).parent
TASK = "llama32k_small"
MOST = 1e-4


def evaluate(model, arguments, directory):
    manager = TaskManager(include_path=directory, include_defaults=False)
    results = simple_evaluate(
        model=model,
        model_args=arguments,
        tasks=[TASK],
        task_manager=manager,
        batch_size=1,
        log_samples=True,
        bootstrap_iters=0,
    )
    samples = sorted(results["samples"][TASK], key=lambda sample: sample["doc_id"])
    return [tuple(choice) for sample in samples for choice in sample["filtered_resps"]]


def main():
    with tempfile.TemporaryDirectory() as directory:
        task = (HERE / "tasks/small.yaml").read_text().replace("TASKS", str(HERE / "tasks"))
        Path(directory, "small.yaml").write_text(task)
        theirs = evaluate(
            "hf",
            {"pretrained": MODEL, "dtype": "float64", "device": "cpu"},
            directory,
        )
        ours = evaluate(
            "local-completions",
            {
                "base_url": f"{BASE}/v1/completions",
                "model": "tiny-32k",
                "tokenizer": MODEL,
                "tokenizer_backend": "huggingface",
                "max_length": 32768,
                "num_concurrent": 1,
            },
            directory,
        )
    assert len(ours) == len(theirs) > 0
    distances = [abs(a[0] - b[0]) for a, b in zip(ours, theirs)]
    print(f"lm-eval: {len(ours)} log-likelihoods, the largest distance {max(distances):.2e} nats")
    assert max(distances) <= MOST, distances
    assert [a[1] for a in ours] == [b[1] for b in theirs]


main()
