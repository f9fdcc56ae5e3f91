/** Which version of this package it is. */
import { readFile } from 'node:fs/promises';
import { packageFile } from '../base/package.js';

export async function packageVersion(): Promise<string> {
  const json = await readFile(packageFile('package.json'), 'utf8');
  return (JSON.parse(json) as { version: string }).version;
}
