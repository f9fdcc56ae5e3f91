/**
 * The Node that the tests of 256 bits run in processes of their own: this one, or the one that
 * LLAMA_32K_WIDE_NODE names, which `.ci/run` fetches where it can.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { packageFile } from '../../../src/base/package.js';
import { compileCode } from './machine-code.js';

export const FLAG = '--experimental-wasm-revectorize';

export interface WideNode {
  readonly path: string;
  /** Of V8, major and minor: `13.6`. */
  readonly v8: string;
}

/**
 * Undefined if that Node cannot make 256-bit code: it is older than 24, or built without it, or the
 * processor has no AVX2. Says so aloud.
 */
export function findWideNode(what: string): WideNode | undefined {
  const path = process.env.LLAMA_32K_WIDE_NODE ?? process.execPath;
  const [node, v8] = execFileSync(
    path,
    ['-p', 'process.versions.node + " " + process.versions.v8'],
    {
      encoding: 'utf8',
    },
  ).split(' ');
  if (Number.parseInt(node, 10) >= 24 && makesWideCode(path)) {
    return { path, v8: /^\d+\.\d+/.exec(v8)![0] };
  }
  console.warn(
    `\n!!! ${what}: NOT tested, Node ${node} makes no 256-bit code here; name one of 24 or ` +
      'newer, for x64, in LLAMA_32K_WIDE_NODE !!!\n',
  );
  return undefined;
}

/** Sums of two rows of float32, which every revectorizer packs. */
function makesWideCode(path: string): boolean {
  if (spawnSync(path, [FLAG, '--version']).status !== 0) return false;
  const code = compileCode(path, packageFile('dist/engines/wasm/simd.wasm'), [FLAG]);
  return [...code.values()].flat().some(({ text }) => /^vaddps ymm/.test(text));
}
