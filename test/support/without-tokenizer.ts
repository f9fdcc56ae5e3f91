/** Models of golden/ that have lost their tokenizer, or have one that nobody knows. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenPath } from './golden-files.js';

const isNeeded = (file: string) => !/trace|greedy/.test(file);

/** golden/gqa at `directory`, with `files` in place of its tokenizer. */
export async function gqaWith(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  await cp(goldenPath('gqa'), directory, { recursive: true, filter: isNeeded });
  await rm(join(directory, 'tokenizer.model'));
  for (const [name, content] of Object.entries(files))
    await writeFile(join(directory, name), content);
  return directory;
}

/** golden/gguf/mha-f32.gguf at `path`, whose tokenizer.ggml.model is of another name. */
export async function mhaCalling(path: string, tokenizer: string): Promise<string> {
  const file = await readFile(goldenPath('gguf/mha-f32.gguf'));
  const key = file.indexOf('tokenizer.ggml.model') + 'tokenizer.ggml.model'.length;
  const value = key + 4 + 8; // its type, its length
  const length = Number(file.readBigUInt64LE(key + 4));
  await writeFile(path, file.fill(tokenizer.padEnd(length), value, value + length));
  return path;
}

/** One that is of another kind. */
export const UNIGRAM = { 'tokenizer.json': '{"model": {"type": "Unigram", "vocab": []}}' };
