"""All mutants: id and variant → what is patched."""

from mutants import attention, cache, matmul, mlp, network, norm, rope, weights
from mutants.run import Mutant

PLACES = [rope, norm, attention, mlp, network, cache, weights, matmul]
# Why there is none for an id.
MISSING: dict[str, str] = weights.MISSING


def all_mutants() -> dict[str, Mutant]:
    """By `id`, or `id|variant` where there are several."""
    listed = {}
    for place in PLACES:
        for name, mutant in place.MUTANTS.items():
            variants = mutant if isinstance(mutant, dict) else {None: mutant}
            for variant, patch in variants.items():
                listed[name if variant is None else f"{name}|{variant}"] = patch
    return listed
