"""The network: Llama in miniature, as transformers has it. `factor` is that of position
interpolation, 1 for none."""

import torch
from conversation import BOS, EOS
from induction import listen_again, write_induction_head
from tokenizer import VOCAB
from transformers import LlamaConfig, LlamaForCausalLM

HIDDEN, INTERMEDIATE, HEADS, LAYERS = 192, 512, 3, 3
POSITIONS, FACTOR = 32768, 8.0


def config(factor: float) -> LlamaConfig:
    rope = {"rope_type": "default", "rope_theta": 10000.0}
    if factor != 1:
        rope = {**rope, "rope_type": "linear", "factor": factor}
    return LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=HIDDEN,
        intermediate_size=INTERMEDIATE,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=POSITIONS,
        rms_norm_eps=1e-5,
        rope_parameters=rope,
        tie_word_embeddings=False,
        bos_token_id=BOS,
        eos_token_id=EOS,
        attn_implementation="sdpa",
        use_cache=False,
    )


def new_network(seed: int) -> LlamaForCausalLM:
    """Matrices that keep the size of what goes through them, and an induction head."""
    torch.manual_seed(seed)
    network = LlamaForCausalLM(config(1.0))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() == 2:
                deviation = parameter.shape[1] ** -0.5
                if "o_proj" in name or "down_proj" in name:
                    deviation /= (2 * LAYERS) ** 0.5
                torch.nn.init.normal_(parameter, std=deviation)
        write_induction_head(network)
    return network


def stretched(network: LlamaForCausalLM, factor: float) -> LlamaForCausalLM:
    """Where fine-tuning begins."""
    other = with_factor(network, factor)
    with torch.no_grad():
        listen_again(other, factor)
    return other


def with_factor(network: LlamaForCausalLM, factor: float) -> LlamaForCausalLM:
    """The same weights with positions interpolated by `factor`."""
    other = LlamaForCausalLM(config(factor))
    other.load_state_dict(network.state_dict())
    return other
