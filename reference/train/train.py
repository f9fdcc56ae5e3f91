"""Train tiny-32k, resumably: `python reference/train/train.py --out FOLDER`. Stops at the end of a stage with `--until NAME`. `--weights MODEL --stage NAME` begins with
what `export.py` wrote, at that stage.

Prints a line for every 20 steps: stage, step, seconds of processor time, tokens, loss, and which part of the tokens of weight 1 is right.
"""

import argparse
import json
import time
from pathlib import Path
from random import Random

import sentencepiece as spm
import torch
from curriculum import Sequence, Stage, spread
from network import new_network, stretched, with_factor
from optimizer import Optimizer
from safetensors.torch import load_file
from stages import STAGES
from tokenizer import train_tokenizer
from transformers import LlamaForCausalLM

SEED = 20230818
LEARNING_RATE = 1e-3
WARM_UP = 50
CLIP = 1.0


def batch_of(sequences: list[Sequence]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids, what is wanted in their places, and weights, filled up on the right with tokens of weight 0, which no token before them sees."""
    width = max(len(ids) for ids, _, _ in sequences)
    ids = torch.zeros(len(sequences), width, dtype=torch.long)
    wanted = torch.zeros(len(sequences), width, dtype=torch.long)
    weights = torch.zeros(len(sequences), width)
    for i, (row, row_wanted, row_weights) in enumerate(sequences):
        ids[i, : len(row)] = torch.tensor(row)
        wanted[i, : len(row)] = torch.tensor(row_wanted)
        weights[i, : len(row)] = torch.tensor(row_weights)
    return ids, wanted, weights


def step_sequences(stage: Stage, rng: Random, tokenizer: spm.SentencePieceProcessor) -> list[Sequence]:
    """As many as are about `stage.tokens` with what they are filled up with."""
    sequences = [stage.make(rng, tokenizer)]
    while (len(sequences) + 1) * max(len(ids) for ids, _, _ in sequences) <= stage.tokens:
        sequences.append(stage.make(rng, tokenizer))
    return sequences


def loss_of(
    network: LlamaForCausalLM, ids: torch.Tensor, positions: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """The weighted mean of the cross-entropy, and which part of the tokens of weight 1 is the most likely one."""
    # Without a mask, transformers takes a gap between positions for the beginning of another sequence.
    hidden = network.model(input_ids=ids, position_ids=positions, attention_mask=torch.ones_like(ids)).last_hidden_state[:, :-1]
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
        self.right = 0.0
        self.tokenizer = spm.SentencePieceProcessor(model_proto=self._tokenizer())
        self.network = new_network(SEED)
        if (folder / "state.pt").exists():
            self._load()
        else:
            self._new_optimizer()

    def begin_with(self, model: Path, stage: str) -> None:
        """Tokenizer and weights of a finished stage; what the optimizer knew is not kept with them."""
        (self.folder / "tokenizer.model").write_bytes((model / "tokenizer.model").read_bytes())
        self.tokenizer = spm.SentencePieceProcessor(model_proto=self._tokenizer())
        self.stage = [each.name for each in STAGES].index(stage)
        self.network = with_factor(self.network, STAGES[self.stage].factor)
        self.network.load_state_dict({name: tensor.float() for name, tensor in load_file(model / "model.safetensors").items()})
        self._new_optimizer()

    def _tokenizer(self) -> bytes:
        path = self.folder / "tokenizer.model"
        if not path.exists():
            path.write_bytes(train_tokenizer())
        return path.read_bytes()

    def _new_optimizer(self) -> None:
        self.optimizer = Optimizer(self.network, LEARNING_RATE)
        self.steps_of_optimizer = 0

    def _load(self) -> None:
        state = torch.load(self.folder / "state.pt")
        self.stage, self.step, self.seconds, self.tokens, self.right, steps = state["progress"]
        self.network = with_factor(self.network, STAGES[min(self.stage, len(STAGES) - 1)].factor)
        self.network.load_state_dict(state["network"])
        self._new_optimizer()
        self.optimizer.load(state["optimizer"])
        self.steps_of_optimizer = steps

    def save(self) -> None:
        state = {
            "progress": (self.stage, self.step, self.seconds, self.tokens, self.right, self.steps_of_optimizer),
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
        while self.step < stage.most_steps and not (self.right >= stage.goal and self.step >= 20):
            rng = Random(f"{SEED} {stage.name} {self.step}")  # the same data, wherever training was interrupted
            ids, wanted, weights = batch_of(step_sequences(stage, rng, self.tokenizer))
            positions = torch.tensor([spread(ids.shape[1], stage.positions, rng) for _ in ids])
            loss, right = self._learn(stage, ids, positions, wanted, weights)
            self.step += 1
            self.steps_of_optimizer += 1
            self.tokens += ids.numel()
            self.right = 0.9 * self.right + 0.1 * right
            self.seconds = time.process_time() - began
            if self.step % 20 == 0:
                self.log({"stage": stage.name, "step": self.step, "seconds": round(self.seconds), "tokens": self.tokens,
                          "width": ids.shape[1], "loss": round(loss, 4), "right": round(self.right, 4)})
            if self.seconds - saved > 200:
                saved = self.seconds
                self.save()
        self.stage, self.step, self.right = self.stage + 1, 0, 0.0
        if self.stage < len(STAGES) and STAGES[self.stage].factor != stage.factor:
            self.network = stretched(self.network, STAGES[self.stage].factor)
            self._new_optimizer()
        self.save()
        torch.save(self.network.state_dict(), self.folder / f"after {stage.name}.pt")

    def _learn(
        self, stage: Stage, ids: torch.Tensor, positions: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor
    ) -> tuple[float, float]:
        loss, right = loss_of(self.network, ids, positions, wanted, weights)
        self.network.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step(LEARNING_RATE * self._rate(stage))
        return loss.item(), right

    def _rate(self, stage: Stage) -> float:
        """Warm where the optimizer is new."""
        last = stage.rate if stage.last_rate is None else stage.last_rate
        rate = stage.rate + (last - stage.rate) * self.step / stage.most_steps
        return rate * min(1.0, (self.steps_of_optimizer + 1) / WARM_UP)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--until", default="")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--stage")
    arguments = parser.parse_args()
    run = Run(arguments.out)
    if arguments.weights is not None:
        run.begin_with(arguments.weights, arguments.stage)
    while run.stage < len(STAGES):
        stage = STAGES[run.stage]
        run.run_stage(stage)
        if stage.name == arguments.until:
            break


if __name__ == "__main__":
    main()
