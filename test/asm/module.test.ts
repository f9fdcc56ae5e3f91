/**
 * The compiled modules themselves: their surface, and that hot loops are the SIMD that they should
 * be.
 */
import { readFileSync } from 'node:fs';
import { decode } from '@webassemblyjs/wasm-parser';
import binaryen from 'binaryen';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../src/base/package.js';
import type { Build } from '../../src/engines/wasm/kernels/builds.js';
import { KERNELS } from '../../src/engines/wasm/kernels/exports.js';
import { BUILDS } from './instance.js';
import { indicesFrom, readFunctions } from './module-functions.js';

interface Field {
  readonly type: string;
  readonly name: { readonly value: string } & string;
  readonly descr: {
    readonly type: string;
    readonly limits: unknown;
    readonly exportType: string;
    readonly id: { readonly value: number };
  };
  readonly signature: { readonly params: readonly { readonly valtype: string }[] };
}

function fieldsOf(build: Build): readonly Field[] {
  // The parser knows no SIMD opcodes: it is asked about the surface only.
  const bytes = readFileSync(packageFile(`dist/engines/wasm/${build}.wasm`));
  return decode(bytes, { ignoreCodeSection: true, ignoreDataSection: true }).body[0].fields;
}

/** The text of an exported function's body, with those of the functions that it calls. */
function textOf(build: Build, name: string): string {
  const functions = readFunctions(packageFile(`dist/engines/wasm/${build}.wasm`));
  return indicesFrom(functions, name)
    .map(index => functions[index].text)
    .join('\n');
}

const count = (text: string, opcode: string): number => text.split(`(${opcode}`).length - 1;

describe.each(BUILDS)('%s.wasm', build => {
  it('imports one shared memory of 1 to 65,536 pages and nothing else', () => {
    const imports = fieldsOf(build).filter(({ type }) => type === 'ModuleImport');
    expect(imports).toHaveLength(1);
    expect(imports[0]).toMatchObject({ module: 'env', name: 'memory' });
    expect(imports[0].descr.limits).toMatchObject({ min: 1, max: 65_536, shared: true });
  });

  it('exports all kernels with the parameters passed: eps and scale f32, others i32', () => {
    const fields = fieldsOf(build);
    const functions = fields.filter(({ type }) => type === 'Func');
    const exported = new Map(
      fields
        .filter(({ type }) => type === 'ModuleExport')
        .map(({ name, descr }) => [`${name}`, descr]),
    );
    for (const [name, parameters] of Object.entries(KERNELS)) {
      const types = functions[exported.get(name)?.id.value ?? -1]?.signature.params.map(
        ({ valtype }) => valtype,
      );
      expect(types, name).toEqual(
        parameters.map(parameter => (['eps', 'scale'].includes(parameter) ? 'f32' : 'i32')),
      );
    }
    expect([...exported.keys()].sort()).toEqual(Object.keys(KERNELS).sort());
  });

  it.each([
    ['matmulF32', 'f32x4.mul'],
    ['matmulF16', 'f32x4.mul'],
    ['matmulBF16', 'f32x4.mul'],
    ['matmulQ8', 'i32x4.dot_i16x8_s'],
    ['attentionF32', 'f32x4.mul'],
    ['attentionF16', 'f32x4.mul'],
    ['attentionF16', 'i32x4.dot_i16x8_s'],
    ['attentionQ8', 'i32x4.dot_i16x8_s'],
    ['swiglu', 'f32x4.div'],
    ['rmsnorm', 'f64x2.mul'],
  ])(
    '%s computes with %s, and multiplies no single numbers in a matrix product',
    (name, opcode) => {
      const text = textOf(build, name);
      expect(count(text, opcode)).toBeGreaterThan(0);
      if (name.startsWith('matmul'))
        expect(count(text, 'f32.mul') + count(text, 'i32.load8')).toBe(0);
    },
  );

  it('never uses relaxed_madd, which rounds once or twice as the processor likes', () => {
    const module = binaryen.readBinaryWithFeatures(
      readFileSync(packageFile(`dist/engines/wasm/${build}.wasm`)),
      binaryen.Features.All,
    );
    expect(module.emitText()).not.toMatch(/relaxed_(n?madd|swizzle|trunc|min|max|laneselect|q15)/);
    module.dispose();
  });
});

it('relaxed.wasm sums products in pairs, dot4.wasm in fours, simd.wasm does neither', () => {
  const pairs = 'i16x8.relaxed_dot_i8x16_i7x16_s';
  const fours = 'i32x4.relaxed_dot_i8x16_i7x16_add_s';
  const uses = (build: Build, name: string) =>
    [pairs, fours].map(opcode => count(textOf(build, name), opcode) > 0);
  expect(uses('simd', 'matmulQ4')).toEqual([false, false]);
  expect(uses('relaxed', 'matmulQ4')).toEqual([true, false]);
  expect(uses('dot4', 'matmulQ4')).toEqual([false, true]);
  expect(uses('dot4', 'matmulQ8')).toEqual([false, true]);
  expect(uses('relaxed', 'matmulQ8'), 'Node 20 computes fours wrongly').toEqual([false, false]);
});
