"""Speaks to a server at BASE with `openai` and `together`; fails with an AssertionError."""

import os

import openai
import together

BASE = os.environ["BASE"]
MODEL = "tiny-32k"
MESSAGES = [{"role": "user", "content": "What are the opposites of loud and clean?"}]
PROMPT = "Mira had a lantern"


def check_completion(client):
    answer = client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=8, seed=1)
    assert answer.choices[0].text
    assert answer.usage.completion_tokens <= 8
    again = client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=8, seed=1)
    assert again.choices[0].text == answer.choices[0].text


def check_chat(client):
    whole = client.chat.completions.create(model=MODEL, messages=MESSAGES, temperature=0)
    text = whole.choices[0].message.content
    assert text and whole.choices[0].finish_reason == "stop"
    stream = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, temperature=0, stream=True
    )
    deltas = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(deltas) == text


def check_leaving(client):
    stream = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, stream=True, max_tokens=2000
    )
    next(iter(stream))
    stream.close()


def check_errors(client, module):
    try:
        client.chat.completions.create(model="gpt-4", messages=MESSAGES)
    except module.NotFoundError as error:
        assert "gpt-4" in str(error)
    else:
        raise AssertionError("a model that is not there was answered")
    try:
        client.completions.create(model=MODEL, prompt=PROMPT, max_tokens=40_000)
    except module.BadRequestError as error:
        assert "32768" in str(error)
    else:
        raise AssertionError("a text that is too long was answered")


def check_openai(client):
    echoed = client.completions.create(
        model=MODEL, prompt=PROMPT, max_tokens=0, echo=True, logprobs=2
    )
    assert echoed.choices[0].text.strip() == PROMPT
    scores = echoed.choices[0].logprobs.token_logprobs
    assert scores[0] is None and all(score <= 0 for score in scores[1:])
    assert [model.id for model in client.models.list()] == [MODEL]
    scored = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, logprobs=True, top_logprobs=3, max_tokens=4
    )
    assert len(scored.choices[0].logprobs.content[0].top_logprobs) == 3


def main():
    for module, client in [
        (openai, openai.OpenAI(base_url=f"{BASE}/v1", api_key="none", max_retries=0)),
        (together, together.Together(base_url=BASE, api_key="none", max_retries=0)),
    ]:
        check_completion(client)
        check_chat(client)
        check_leaving(client)
        check_errors(client, module)
        print(f"{module.__name__}: ok")
    check_openai(openai.OpenAI(base_url=f"{BASE}/v1", api_key="none", max_retries=0))
    print("openai, echo and log-probabilities: ok")


main()
