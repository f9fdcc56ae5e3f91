/**
 * Directories as `save_pretrained` of transformers 5 leaves them, and as 4 saves these again: the
 * ids are those that transformers gives, the logits those of the model that was saved.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadLlama, loadModel } from '../../src/load/model.js';
import type { LoadOptions } from '../../src/load/options.js';
import { openTokenizer } from '../../src/load/tokenizer.js';
import { readSentencePieceModel } from '../../src/tokenizer/index.js';
import { allLogits, goldenPath } from '../support/golden.js';

interface Golden {
  /** By version: the checksum of pieces and merges, where they are not shipped. */
  readonly vocabularies: Readonly<Record<string, string>>;
  /** By version, and by text: ids, or what their checksum begins with; or another version's. */
  readonly ids: Readonly<Record<string, readonly string[] | string>>;
}

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const { texts }: { texts: string[] } = readJson(goldenPath('saved-tokenizers/ids.json'));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const shared = (path: string) => fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));
/** Where the models that were saved are, and their tokenizers. */
const MODELS: Readonly<Record<string, { model: string; tokenizer: string }>> = {
  'tiny-32k': { model: goldenPath('tiny-32k'), tokenizer: goldenPath('tiny-32k') },
  stories260k: {
    model: shared('models/stories260k'),
    tokenizer: shared('models/stories260k'),
  },
  llama2: {
    model: goldenPath('saved-models/llama2/published'),
    tokenizer: shared('tokenizers/llama2'),
  },
};
const TOKENS = [1, 5, 300, 7, 41, 2, 9, 300, 300, 77];

/**
 * Pieces by id, and merges as transformers 5 writes them for a tokenizer.model: by the score of the
 * merged piece, then by the length of the left part.
 */
function vocabularyOf(tokenizerModel: string): { pieces: string[]; merges: string[][] } {
  const { vocabulary, scores = [] } = readSentencePieceModel(readFileSync(tokenizerModel));
  const pieces = vocabulary.pieces.map(({ text }) => text);
  const known = new Set(pieces);
  const byScore = [...pieces.keys()].sort((a, b) => scores[b] - scores[a]); // a stable sort
  const merges = byScore.flatMap(id => {
    const characters = [...pieces[id]];
    const cuts = Array.from({ length: characters.length - 1 }, (_, i) => [
      characters.slice(0, i + 1).join(''),
      characters.slice(i + 1).join(''),
    ]);
    return cuts.filter(cut => cut.every(part => known.has(part)));
  });
  return { pieces, merges };
}

/** The directory that `version` saved, whole, in `directory`. */
function assemble(
  name: string,
  version: string,
  directory: string,
  { vocabularies }: Golden,
): void {
  const { model, tokenizer } = MODELS[name];
  cpSync(goldenPath(`saved-models/${name}/${version}`), directory, { recursive: true });
  cpSync(join(model, 'model.safetensors'), join(directory, 'model.safetensors'));
  if (vocabularies[version] === undefined) return;
  const file = join(directory, 'tokenizer.json');
  const content = readJson(file);
  const { pieces, merges } = vocabularyOf(join(tokenizer, 'tokenizer.model'));
  expect(sha256(JSON.stringify([pieces, merges]))).toBe(vocabularies[version]);
  const vocab = Object.fromEntries(pieces.map((text, id) => [text, id]));
  content.model = { ...content.model, vocab, merges };
  writeFileSync(file, JSON.stringify(content));
}

const CASES = Object.keys(MODELS).flatMap(name => ['5', '4'].map(version => [name, version]));

describe.each(CASES)('%s, saved by transformers %s', (name, version) => {
  const { model, tokenizer } = MODELS[name];
  const present = existsSync(tokenizer);
  if (!present) console.warn(`SKIPPED: the directories of ${name} need ${tokenizer}`);
  const golden: Golden = readJson(goldenPath(`saved-models/${name}/ids.json`));
  const listed = golden.ids[version];
  const ids = typeof listed === 'string' ? golden.ids[listed] : listed;
  const directory = mkdtempSync(join(tmpdir(), 'llama-32k-saved-'));
  beforeAll(() => (present ? assemble(name, version, directory, golden) : undefined));
  afterAll(() => rmSync(directory, { recursive: true }));

  it.skipIf(!present)('gives the ids that transformers gives, for 2,000 texts', async () => {
    const tokenizer = await openTokenizer(directory);
    expect(texts).toHaveLength(2000);
    texts.forEach((text, i) => {
      const own = tokenizer.encode(text, { special: 'added' }).join(' ');
      const shown = golden.vocabularies[version] === undefined ? own : sha256(own).slice(0, 8);
      expect(shown, `${JSON.stringify(text)}: ${own}`).toBe(ids[i]);
    });
  });

  it
    .skipIf(!present)
    .each<LoadOptions>([
      { kernels: 'exact' },
      { kernels: 'exact', numerics: 'bf16' },
      { kernels: 'wasm', threads: 2 },
    ])('gives the logits of the model that was saved, bit for bit: %j', async options => {
    await using saved = await loadModel(directory, options);
    const original = await loadLlama(model, options);
    expect(saved.model.config).toEqual(original.model.config);
    const [ours, theirs] = [
      await allLogits(saved.model, TOKENS),
      await allLogits(original.model, TOKENS),
    ];
    await original.model.close();
    expect(new Set(ours).size).toBeGreaterThan(100);
    expect(ours).toEqual(theirs);
  });
});
