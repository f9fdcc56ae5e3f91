"""Train tiny-32k, resumably: `python reference/train/train.py --out FOLDER`. Stops at the end of a
stage with `--until NAME`.

Prints a line for every 20 steps and the last of a stage: stage, step, seconds of processor time,
tokens, loss, and which part of the tokens of weight 1 is right in each batch of a step.
"""

import argparse
import json
import time
from pathlib import Path
from random import Random

import attention
import sentencepiece as spm
import torch
from curriculum import Batch, Sequence, Stage, spread
from network import new_network, stretched, with_factor
from optimizer import Optimizer
from stages import STAGES
from tokenizer import train_tokenizer
from transformers import LlamaForCausalLM

SEED = 20230818
LEARNING_RATE = 1e-3
WARM_UP = 50
LEAST_STEPS = 20
CLIP = 1.0


def batch_of(sequences: list[Sequence]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids, what is wanted in their places, and weights, filled up on the right with tokens of
    weight 0, which no token before them sees."""
    width = max(len(ids) for ids, _, _ in sequences)
    ids = torch.zeros(len(sequences), width, dtype=torch.long)
    wanted = torch.zeros(len(sequences), width, dtype=torch.long)
    weights = torch.zeros(len(sequences), width)
    for i, (row, row_wanted, row_weights) in enumerate(sequences):
        ids[i, : len(row)] = torch.tensor(row)
        wanted[i, : len(row)] = torch.tensor(row_wanted)
        weights[i, : len(row)] = torch.tensor(row_weights)
    return ids, wanted, weights


def loss_of(
    network: LlamaForCausalLM,
    ids: torch.Tensor,
    positions: torch.Tensor,
    wanted: torch.Tensor,
    weights: torch.Tensor,
    document_tokens: int,
) -> tuple[torch.Tensor, float]:
    """The weighted mean of the cross-entropy, and which part of the tokens of weight 1 is the most
    likely one."""
    hidden = network.model(
        input_ids=ids, position_ids=positions, document_tokens=document_tokens
    ).last_hidden_state[:, :-1]
    wanted, weight = wanted[:, 1:], weights[:, 1:]
    chosen = weight > 0
    logits = network.lm_head(hidden[chosen])
    wanted, weight = wanted[chosen], weight[chosen]
    losses = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
    right = (logits.argmax(-1) == wanted)[weight == 1].float().mean().item()
    return (losses * weight).sum() / weight.sum(), right


class Run:
    """Everything that is saved, and goes on where it was."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.stage = 0
        self.step = 0
        self.seconds = 0.0
        self.tokens = 0
        self.right: list[float] = []
        self.tokenizer = spm.SentencePieceProcessor(model_proto=self._tokenizer())
        self.network = new_network(SEED)
        if (folder / "state.pt").exists():
            self._load()
        else:
            self._new_optimizer()

    def _tokenizer(self) -> bytes:
        path = self.folder / "tokenizer.model"
        if not path.exists():
            path.write_bytes(train_tokenizer())
        return path.read_bytes()

    def _new_optimizer(self) -> None:
        self.network.set_attn_implementation(
            attention.NAME
        )  # set anew, too, where the network is another
        self.optimizer = Optimizer(self.network)
        self.steps_of_optimizer = 0

    def _load(self) -> None:
        state = torch.load(self.folder / "state.pt")
        self.stage, self.step, self.seconds, self.tokens, self.right, steps = state["progress"]
        if state["stages"] != [stage.name for stage in STAGES][: len(state["stages"])]:
            raise SystemExit(
                f"{self.folder} was trained by other stages: {', '.join(state['stages'])}; begin in"
                " a new folder"
            )
        stage = STAGES[min(self.stage, len(STAGES) - 1)]
        self.network = with_factor(self.network, stage.factor)
        self.network.load_state_dict(state["network"])
        self._new_optimizer()
        self.optimizer.load(state["optimizer"])
        self.steps_of_optimizer = steps

    def save(self) -> None:
        state = {
            "stages": [stage.name for stage in STAGES[: self.stage + 1]],
            "progress": (
                self.stage,
                self.step,
                self.seconds,
                self.tokens,
                self.right,
                self.steps_of_optimizer,
            ),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state(),
        }
        torch.save(state, self.folder / "state.new")
        (self.folder / "state.new").replace(self.folder / "state.pt")

    def log(self, entry: dict) -> None:
        print(json.dumps(entry), flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def run_stage(self, stage: Stage) -> None:
        began = time.process_time() - self.seconds
        saved = self.seconds
        while not self._finished(stage):
            rng = Random(
                f"{SEED} {stage.name} {self.step}"
            )  # the same data, wherever training was interrupted
            loss, right = self._learn(stage, stage.step(rng, self.tokenizer), rng)
            self.step += 1
            self.steps_of_optimizer += 1
            self.right = [0.9 * mean + 0.1 * part for mean, part in zip(self.right or right, right)]
            self.seconds = time.process_time() - began
            if self.step % 20 == 0 or self._finished(stage):
                self.log(
                    {
                        "stage": stage.name,
                        "step": self.step,
                        "seconds": round(self.seconds),
                        "tokens": self.tokens,
                        "loss": round(loss, 4),
                        "right": [round(mean, 4) for mean in self.right],
                    }
                )
            if self.seconds - saved > 200:
                saved = self.seconds
                self.save()
        self.stage, self.step, self.right = self.stage + 1, 0, []
        if self.stage < len(STAGES) and STAGES[self.stage].factor != stage.factor:
            self.network = stretched(self.network, STAGES[self.stage].factor)
            self._new_optimizer()
        self.save()
        torch.save({"network": self.network.state_dict()}, self.folder / f"after {stage.name}.pt")

    def _finished(self, stage: Stage) -> bool:
        return self.step >= stage.most_steps or (
            self.step >= LEAST_STEPS and self.right[0] >= stage.goal
        )

    def _learn(self, stage: Stage, batches: list[Batch], rng: Random) -> tuple[float, list[float]]:
        """The mean loss of the batches, and what is right in each."""
        self.network.zero_grad()
        losses, right = [], []
        for batch in batches:
            ids, wanted, weights = batch_of(batch.sequences)
            positions = torch.tensor([spread(row, stage.positions, rng) for row in ids.tolist()])
            loss, part = loss_of(
                self.network, ids, positions, wanted, weights, batch.document_tokens
            )
            (loss / len(batches)).backward()
            losses.append(loss.item())
            right.append(part)
            self.tokens += ids.numel()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step(LEARNING_RATE * self._rate(stage))
        return sum(losses) / len(losses), right

    def _rate(self, stage: Stage) -> float:
        """Warm where the optimizer is new."""
        rate = stage.rate + (stage.last_rate - stage.rate) * self.step / stage.most_steps
        return rate * min(1.0, (self.steps_of_optimizer + 1) / WARM_UP)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    names = [stage.name for stage in STAGES]
    parser.add_argument("--until", choices=names, default=names[-1])
    arguments = parser.parse_args()
    run = Run(arguments.out)
    while run.stage <= names.index(arguments.until):
        run.run_stage(STAGES[run.stage])


if __name__ == "__main__":
    main()
