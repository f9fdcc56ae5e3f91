/**
 * `npm run bench -- answers FILE.jsonl [--factor 1] [--model DIRECTORY]`: the questions that
 * `reference/train/evaluate.py` asked of transformers, asked of this engine, greedily: how many
 * replies are the same, and how many are right.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Floats } from '../src/base/tensor.js';
import type { LoadedModel } from '../src/load/model.js';
import { readTokens } from '../src/model/chunks.js';
import type { Sequence } from '../src/model/sequence.js';
import { argmax } from '../src/text/sampling/sampler.js';
import { builtLoad } from './built.js';

interface Answer {
  readonly task: string;
  readonly by: string;
  readonly length: number;
  /**
   * Characters at the beginning of `prompt`, up to a newline, that the questions before have too.
   */
  readonly shared: number;
  readonly prompt: string;
  readonly wanted: string;
  /** Of transformers, and which part of it is right. */
  readonly reply: string;
  readonly right: number;
}

const MORE_THAN_WANTED = 8;

export async function answersBench(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { factor: { type: 'string' }, model: { type: 'string' } },
  });
  const { loadModel } = await builtLoad();
  const ropeFactor = values.factor === undefined ? undefined : Number(values.factor);
  await using loaded = await loadModel(values.model, { ropeFactor });
  const reader = new Reader(loaded);
  const groups = new Map<string, { asked: number; same: number; right: number; theirs: number }>();
  for await (const line of createInterface(createReadStream(positionals[0]))) {
    const answer: Answer = JSON.parse(line);
    const reply = await reader.reply(answer);
    const name =
      answer.length === 0
        ? answer.task
        : `${answer.task}, ${answer.length} tokens, by ${answer.by}`;
    const group = groups.get(name) ?? { asked: 0, same: 0, right: 0, theirs: 0 };
    groups.set(name, group);
    group.asked++;
    group.same += reply === answer.reply ? 1 : 0;
    group.right += partRight(reply, answer);
    group.theirs += answer.right;
  }
  for (const [name, { asked, same, right, theirs }] of groups) {
    console.log(
      `${name.padEnd(32)} ${same} of ${asked} replies the same; right ${part(right / asked)}, ` +
        `transformers ${part(theirs / asked)}`,
    );
  }
}

interface Shared {
  readonly text: string;
  readonly sequence: Sequence;
  readonly length: number;
}

/** A model with one text in its cache. */
class Reader {
  readonly model: LoadedModel['model'];
  readonly tokenizer: LoadedModel['tokenizer'];
  #shared: Shared | undefined;

  constructor({ model, tokenizer }: LoadedModel) {
    this.model = model;
    this.tokenizer = tokenizer;
  }

  async reply({ prompt, shared, wanted }: Answer): Promise<string> {
    const { sequence, length } = await this.#begin(prompt.slice(0, shared));
    const ids = this.tokenizer.encode(prompt, { bos: true });
    let next = await this.#read(sequence, ids.slice(length));
    const most = this.tokenizer.encode(wanted).length + MORE_THAN_WANTED;
    const reply: number[] = [];
    while (reply.length < most && !this.model.config.eosTokenIds.includes(next)) {
      reply.push(next);
      next = await this.#read(sequence, [next]);
    }
    sequence.truncate(length);
    return this.tokenizer.decode(reply);
  }

  /**
   * A sequence that has read `text`, and how long that is; the one before if it is the same text.
   */
  async #begin(text: string): Promise<Shared> {
    if (this.#shared?.text === text) return this.#shared;
    this.#shared?.sequence.dispose();
    const sequence = this.model.createSequence();
    if (text !== '') await this.#read(sequence, this.tokenizer.encode(text, { bos: true }));
    this.#shared = { text, sequence, length: sequence.length };
    return this.#shared;
  }

  /** The likeliest token after `tokens`. */
  async #read(sequence: Sequence, tokens: readonly number[]): Promise<number> {
    let logits: Floats = new Float32Array();
    const wants = (index: number) => index === tokens.length - 1;
    for await (const reading of readTokens(this.model, tokens, { sequence, wants })) {
      logits = reading.logits;
    }
    return argmax(logits);
  }
}

function partRight(reply: string, { task, wanted }: Answer): number {
  if (task !== 'summaries') return reply === wanted ? 1 : 0;
  const lines = wanted.split('\n');
  const got = new Set(reply.split('\n'));
  return lines.filter(line => got.has(line)).length / lines.length;
}

const part = (x: number) => x.toFixed(3);
