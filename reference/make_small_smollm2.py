"""Write golden/small-smollm2: the files of the repository of SmolLM2-135M-Instruct on the hub, with
the keys that its configuration has there, as transformers 4 saved them; but for a random model of
two layers, with the tokenizer of golden/byte-level/smollm2.json. With transformers 4.57:

    python reference/make_small_smollm2.py

`expected.json`: ids of conversations by its chat template, and greedy tokens in float32.
"""

import json
import shutil
from pathlib import Path

import torch
from manifest import add_to_manifest
from tokenizers import Tokenizer
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

GOLDEN = Path(__file__).parent.parent / "golden"
OUT = GOLDEN / "small-smollm2"
WHAT = "the files of SmolLM2-135M-Instruct, random, by transformers 4.57: make_small_smollm2.py"
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SMALLEST_MARGIN = 1e-2
WRITTEN = 24
CONVERSATIONS = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Grüße, 123 Füchse! 今天 🦙"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": " \n\tdef main(argv):\n"},
    ],
]
# What its config.json has besides, or in another way than transformers 4.57 writes it.
PUBLISHED = {
    "is_llama_config": True,
    "rope_interleaved": False,
    "rope_theta": 100000,
    "torch_dtype": "bfloat16",
    "transformers.js_config": {"kv_cache_dtype": {"fp16": "float16", "q4f16": "float16"}},
}
NOT_PUBLISHED = ["dtype", "head_dim"]


def chat_template() -> str:
    """SmolLM2's own."""
    conversations = json.loads((GOLDEN / "conversations" / "cases.json").read_text())
    return conversations["templates"]["smollm2"]


def make_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_file(str(GOLDEN / "byte-level" / "smollm2.json")),
        chat_template=chat_template(),
        clean_up_tokenization_spaces=False,
        model_max_length=8192,
    )
    names = {"unk": 0, "bos": 1, "eos": 2, "pad": 2}
    tokens = {f"{name}_token": SPECIALS[i] for name, i in names.items()}
    tokenizer.add_special_tokens({**tokens, "additional_special_tokens": SPECIALS[1:]})
    return tokenizer


def make_network(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Random numbers in bfloat16, large enough that no two scores are alike."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=8192,
        initializer_range=0.4,
        rms_norm_eps=1e-5,
        rope_theta=100000,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).to(torch.bfloat16)


@torch.no_grad()
def reply(network: LlamaForCausalLM, prompt: list[int]) -> tuple[list[int], float]:
    """Greedy tokens, and the smallest margin in σ."""
    tokens = torch.tensor([prompt])
    output = network.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        do_sample=False,
        max_new_tokens=WRITTEN,
        output_scores=True,
        return_dict_in_generate=True,
    )
    scores = torch.stack(output.scores)[:, 0]
    best, second = scores.topk(2).values.unbind(1)
    margins = (best - second) / scores.std(1)
    return output.sequences[0, len(prompt) :].tolist(), margins.min().item()


def save(network: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    network.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    network.save_pretrained(OUT)
    tokenizer.save_pretrained(OUT, save_jinja_files=False)
    tokenizer.backend_tokenizer.model.save(str(OUT))
    config = json.loads((OUT / "config.json").read_text())
    config = {key: value for key, value in config.items() if key not in NOT_PUBLISHED} | PUBLISHED
    (OUT / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    settings = json.loads((OUT / "tokenizer_config.json").read_text())
    settings |= {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False}
    (OUT / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def main() -> None:
    torch.set_num_threads(1)
    tokenizer = make_tokenizer()
    prompts = [
        tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        for messages in CONVERSATIONS
    ]
    for seed in range(1000):
        network = make_network(tokenizer, seed)
        replies = [reply(network.float(), prompt) for prompt in prompts]
        if all(margin > SMALLEST_MARGIN for _, margin in replies):
            break
    save(network.to(torch.bfloat16), tokenizer)
    expected = [
        {"messages": messages, "prompt": prompt, "tokens": tokens, "text": tokenizer.decode(tokens)}
        for messages, prompt, (tokens, _) in zip(CONVERSATIONS, prompts, replies)
    ]
    (OUT / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")
    print(seed, [margin for _, margin in replies], [each["text"] for each in expected])
    add_to_manifest(GOLDEN, "small-smollm2", WHAT)


if __name__ == "__main__":
    main()
