import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../src/files/safetensors/safetensors.js';
import { memorySource } from '../../src/files/source.js';
import { formatPrompt } from '../../src/index.js';
import { readTokens } from '../../src/model/chunks.js';
import { recordTrace } from '../../src/model/trace.js';
import { Client, type Json, loaded, serverWith } from './support.js';

const server = serverWith({ alias: ['gpt'] });
const client = new Client(server);
afterAll(async () => {
  await server.close();
  await loaded.close();
});

const { tokenizer, model } = loaded;
const messages = [{ role: 'user', content: 'Hi' } as const];

describe('/tokenize and back', () => {
  it('reads a text as llama.cpp and as vLLM call it', async () => {
    const text = 'Mira </s> é';
    const ids = tokenizer.encode(text, { special: true });
    const ask = async (body: Json) => (await client.ask('/tokenize', body)).tokens;
    expect(await ask({ content: text })).toEqual(ids);
    expect(await ask({ content: text, add_special: true })).toEqual([1, ...ids]);
    expect(await ask({ prompt: text })).toEqual([1, ...ids]);
    expect(await ask({ prompt: text, add_special_tokens: false })).toEqual(ids);
    expect(await ask({ content: text, parse_special: false })).toEqual(tokenizer.encode(text));
    expect(await client.ask('/detokenize', { tokens: ids })).toMatchObject({
      content: tokenizer.decode(ids),
    });
  });

  it('gives pieces, those that are bytes as bytes', async () => {
    const { tokens } = await client.ask('/tokenize', { content: 'é', with_pieces: true });
    const pieces = tokens.map(({ piece }: Json) => piece);
    expect(pieces).toEqual([' ', 'bytes:\\xc3', 'bytes:\\xa9']);
    const body = { prompt: 'é', return_token_strs: true };
    expect((await client.ask('/tokenize', body)).token_strs).toEqual(['<s>', ...pieces]);
  });

  it('reads a conversation as chat does, and applies its template', async () => {
    const text = formatPrompt(messages);
    const ids = tokenizer.encode(text, { bos: true });
    expect((await client.ask('/tokenize', { messages })).tokens).toEqual(ids);
    const applied = await client.ask('/apply-template', { messages });
    expect(applied.tokens).toEqual(ids);
    expect(applied.prompt).toBe(text);
    expect((await client.ask('/tokenize', { prompt: text })).tokens).toEqual(ids);
  });
});

describe('GET', () => {
  it('/v1/models has the model under all its names, with meta', async () => {
    const { data } = await client.getJson('/v1/models');
    expect(data.map(({ id }: Json) => id)).toEqual(['tiny-32k', 'gpt']);
    expect(data[0].meta).toMatchObject({
      n_vocab: 2048,
      n_ctx: 32_768,
      n_ctx_train: 32_768,
      n_embd: 192,
      n_params: 2_114_880,
      size: 2 * 2_114_880, // bfloat16
    });
    expect((await client.getJson('/v1/models/gpt')).id).toBe('gpt');
    expect((await client.getJson('/v1/models/other')).error.code).toBe('model_not_found');
  });

  it('/version has the fingerprint, and answers name the same', async () => {
    const version = await client.getJson('/version');
    expect(version).toMatchObject({ system_fingerprint: 'fp_test', kernels: 'wasm-bf16' });
    const answer = await client.ask('/v1/completions', { prompt: 'Mira', max_tokens: 1 });
    expect(answer.system_fingerprint).toBe('fp_test');
  });

  it('/openapi.json describes every path', async () => {
    const { openapi, paths } = (await (await client.get('/openapi.json')).json()) as Json;
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths)).toContain('/v1/models/{model}');
    const { post } = paths['/v1/completions'];
    expect(post.requestBody.content['application/json'].schema.required).toEqual(['prompt']);
  });

  it('/metrics has names and labels that Prometheus takes', async () => {
    const response = await client.get('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    const names = ['requests_running', 'requests_waiting', 'prompt_tokens_total', 'build_info'];
    for (const name of names) expect(text).toContain(`\nl32k_${name}{`);
    expect(text).toMatch(/^l32k_time_to_first_token_seconds_count\{model="tiny-32k"\} \d+$/m);
    expect(text).toMatch(/^process_resident_memory_bytes/m);
  });

  it('/ is a page that no other may frame', async () => {
    const response = await client.get('/');
    expect(await response.text()).toContain('<!doctype html>');
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });
});

describe('POST /v1/trace', () => {
  it('has the tensors that forward tells, to the bit', async () => {
    const tokens = [1, 300, 301, 302];
    const names = ['model.layers.1.self_attn.probabilities', 'lm_head'];
    const body = { tokens, names, positions: [1, -1] };
    const response = await client.post('/v1/trace', body);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { trace, tensors } = recordTrace();
    const wants = (index: number) => index === 1 || index === 3;
    for await (const _ of readTokens(model, tokens, { wants, trace, traceNames: names }));
    const file = await openSafetensors(memorySource(bytes));
    expect([...file.tensors.keys()].sort()).toEqual([...names].sort());
    for (const name of names) {
      const { data, shape } = tensors.get(name)!;
      expect(file.tensors.get(name)!.shape).toEqual(shape);
      const wanted = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      expect(Buffer.from(bytes).includes(wanted)).toBe(true);
    }
  });
});
