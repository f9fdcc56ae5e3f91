/**
 * Scripts in a process of their own, which must end by itself. They use dist, which `npm test`
 * builds.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface Ended {
  /** Null if it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

/** Longer than anything takes that does not hang. */
const PATIENCE_MS = 60_000;

/** Runs node with `args`, to the end. */
export async function node(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
  });
  const ended = new Promise<number | null>(resolve => child.on('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** Runs the text of a module, which finds what `load/model.ts` exports. */
export function script(body: string): Promise<Ended> {
  const imports =
    'import { EMBEDDED_MODEL, loadLlama, loadModel } from ' +
    `${JSON.stringify(`file://${DIST}load/model.js`)};`;
  return node('--input-type=module', '--eval', imports + body);
}
