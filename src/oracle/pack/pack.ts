/** The conformance pack that comes with the package: golden/conformance. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../../base/package.js';

export const PACK = 'golden/conformance';

/** Its models that are Hugging Face directories. */
export type PackModel = 'toy' | 'blocks' | 'long';

export const packModel = (name: PackModel): string => fileURLToPath(packageFile(`${PACK}/${name}`));

/** The text that belongs to a model. */
export async function packTokens(name: PackModel): Promise<readonly number[]> {
  const text = await readFile(packageFile(`${PACK}/${name}/tokens.json`), 'utf8');
  return (JSON.parse(text) as { tokens: number[] }).tokens;
}
