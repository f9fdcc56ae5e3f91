/**
 * V8's revectorizer and extending loads (docs/v8.md): which versions load from the wrong address,
 * and that none of the kernels can be hit.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../../src/base/package.js';
import { KERNELS } from '../../../src/engines/wasm/kernels/exports.js';
import { indicesFrom, readFunctions } from '../module-functions.js';
import { compileCode } from './machine-code.js';
import { MODULES } from './modules.js';
import { FLAG, findWideNode } from './node.js';

const SCRIPT = fileURLToPath(new URL('../../../scripts/v8-extending-loads.js', import.meta.url));
const wideNode = findWideNode("V8's code for extending loads");

/** How many of the 12 functions of the reproducer are wrong, by version of V8. */
const WRONG: Readonly<Record<string, number>> = { '13.6': 6, '14.1': 6, '14.6': 0 };

describe.skipIf(wideNode === undefined)('the reproducer of docs/v8.md', () => {
  const run = (...flags: string[]) => {
    const { stdout, status } = spawnSync(wideNode!.path, [...flags, SCRIPT], { encoding: 'utf8' });
    return { wrong: Number(/: (\d+) of 12 are wrong/.exec(stdout)?.[1]), status };
  };

  it('is wrong in those versions of V8 that are known for it, and right in others', () => {
    const { wrong, status } = run('--no-liftoff', FLAG);
    expect(wrong, `V8 ${wideNode!.v8}`).toBe(WRONG[wideNode!.v8] ?? 0);
    expect(status).toBe(wrong === 0 ? 0 : 1);
  });

  it('is right without the flag', () => {
    expect(run('--no-liftoff')).toEqual({ wrong: 0, status: 0 });
  });
});

/** They have a single one each, and so no pair. */
const EXTENDING_KERNELS = ['embedBF16', 'embedF16'];

describe.each(MODULES)('%s.wasm', name => {
  const path = packageFile(`dist/engines/wasm/${name}.wasm`);
  const functions = readFunctions(path);
  const kernelsWith = (has: (index: number) => boolean) =>
    Object.keys(KERNELS).filter(kernel => indicesFrom(functions, kernel).some(has));

  it('extends as it loads in no kernel but these', () => {
    const extending = kernelsWith(index =>
      /\(v128\.load(8x8|16x4|32x2)_[su]/.test(functions[index].text),
    );
    expect(extending.sort()).toEqual(EXTENDING_KERNELS);
  });

  it.skipIf(wideNode === undefined)('has no 256-bit load that extends, as V8 compiles it', () => {
    const code = [...compileCode(wideNode!.path, path, [FLAG]).values()].flat();
    expect(code.filter(({ text }) => /^vpmov[sz]x\w+ ymm\d+,\[/.test(text))).toEqual([]);
  });
});
