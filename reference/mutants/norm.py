"""RMSNorm."""

from collections.abc import Callable

import torch
from mutants.run import Mutant, Run, in_float32
from transformers.models.llama.modeling_llama import LlamaRMSNorm


def formula(normalise: Callable[[LlamaRMSNorm, torch.Tensor], torch.Tensor]) -> Mutant:
    def forward(self, x):
        return in_float32(lambda wide: normalise(self, wide))(x)

    return lambda run: run.replace(LlamaRMSNorm, "forward", forward)


def mean_square(x: torch.Tensor) -> torch.Tensor:
    return x.pow(2).mean(-1, keepdim=True)


def normalised(self: LlamaRMSNorm, x: torch.Tensor) -> torch.Tensor:
    return x * torch.rsqrt(mean_square(x) + self.variance_epsilon)


def eps_outside_root(self, x):
    return self.weight * x / (mean_square(x).sqrt() + self.variance_epsilon)


def mean_subtracted(self, x):
    return self.weight * normalised(self, x - x.mean(-1, keepdim=True))


def tail_ignored(self, x):
    width = x.shape[-1]
    squares = x[..., : width - width % 32].pow(2).sum(-1, keepdim=True)
    return self.weight * x * torch.rsqrt(squares / width + self.variance_epsilon)


def sum_for_mean(self, x):
    squares = x.pow(2).sum(-1, keepdim=True)
    return self.weight * x * torch.rsqrt(squares + self.variance_epsilon)


def eps(other: float) -> Mutant:
    def mutant(run: Run) -> None:
        for module in run.network.modules():
            if isinstance(module, LlamaRMSNorm):
                module.variance_epsilon = other

    return mutant


def final_missing(run: Run) -> None:
    run.network.model.norm = torch.nn.Identity()


def weights_swapped(run: Run) -> None:
    for layer in run.network.model.layers:
        first, second = layer.input_layernorm, layer.post_attention_layernorm
        layer.input_layernorm, layer.post_attention_layernorm = second, first


MUTANTS = {
    "norm.eps": {f"eps = {other}": eps(float(other)) for other in ("1e-6", "1e-8", "0", "1e-3")},
    "norm.eps-outside-root": formula(eps_outside_root),
    "norm.weight-ignored": formula(normalised),
    "norm.weight-plus-one": formula(lambda self, x: (1 + self.weight) * normalised(self, x)),
    "norm.mean-subtracted": formula(mean_subtracted),
    "norm.tail-ignored": formula(tail_ignored),
    "norm.final-missing": final_missing,
    "norm.weights-swapped": weights_swapped,
    "norm.sum-for-mean": formula(sum_for_mean),
}
