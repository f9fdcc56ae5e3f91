/**
 * That V8 makes 256-bit code of the hot loops: it stops doing so at a small change, without a
 * word, and only the clock would tell.
 */
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../../src/base/package.js';
import { indicesFrom, readFunctions } from '../module-functions.js';
import { type Code, compileCode, innermostLoops } from './machine-code.js';
import { MODULES } from './modules.js';
import { FLAG, findWideNode } from './node.js';

/**
 * Kernels whose innermost loops multiply in 256 bits, and how many may do it in 128: what attention
 * computes once for a query or for a page (scales, weights) is a small part of its work.
 */
const NARROW: Readonly<Record<string, number>> = {
  matmulF32: 0,
  matmulBF16: 0,
  matmulF16: 0,
  matmulQ8: 0,
  matmulQ4: 0,
  matmulQ41: 0,
  matmulQ5: 0,
  matmulQ51: 0,
  matmulQ2K: 0,
  matmulQ3K: 0,
  matmulQ4K: 0,
  matmulQ5K: 0,
  matmulQ6K: 0,
  attentionF32: 2,
  attentionF16: 4,
  attentionQ8: 3,
};

const PRODUCT = /^v(mulp[sd]|pmul|pmadd|pdpb)/;
const multiplies = (loop: Code) => loop.some(({ text }) => PRODUCT.test(text));
const isPacked = (loop: Code) =>
  loop.filter(({ text }) => PRODUCT.test(text)).every(({ text }) => text.includes('ymm'));

const wideNode = findWideNode('whether hot loops are packed');

describe.skipIf(wideNode === undefined).each(MODULES)('%s.wasm', name => {
  const path = packageFile(`dist/engines/wasm/${name}.wasm`);
  const functions = readFunctions(path);
  const wide = wideNode && compileCode(wideNode.path, path, [FLAG]);
  const loopsOf = (kernel: string) =>
    indicesFrom(functions, kernel)
      .flatMap(index => innermostLoops(wide!.get(index)!))
      .filter(multiplies);

  it.each(Object.entries(NARROW))('%s multiplies in 256 bits, but for %i loops', (kernel, most) => {
    const loops = loopsOf(kernel);
    const packed = loops.filter(isPacked).length;
    expect(packed).toBeGreaterThanOrEqual(2); // for one row, and for many
    expect(loops.length - packed).toBe(most);
  });

  it('has no 256-bit product without the flag', () => {
    const narrow = [...compileCode(wideNode!.path, path, []).values()].flat();
    expect(narrow.filter(({ text }) => PRODUCT.test(text) && text.includes('ymm'))).toEqual([]);
  });
});
