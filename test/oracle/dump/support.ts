/** What tests of dumps share: the model of golden/dumps, and arrays put together by hand. */
import { readFileSync } from 'node:fs';
import { elementCount, type Tensor } from '../../../src/base/tensor.js';
import { parseConfig } from '../../../src/files/config-json/config-json.js';
import { checkDump, type DumpOptions } from '../../../src/oracle/dump/check-dump.js';
import { type GivenTensor, givenIntegers, givenTensor } from '../../../src/oracle/dump/given.js';
import { goldenPath } from '../../support/golden-files.js';

/** V 331, D 8, F 11, H 4, K 2, d 6; two layers. */
export const CONFIG = parseConfig(
  JSON.parse(readFileSync(goldenPath('dumps/config.json'), 'utf8')),
);

export const TOKENS = givenIntegers('tokens', [1, 5, 6, 7, 8]);
export const LOGITS = filled('logits', [5, 331]);

/** A tensor of numbers that are all different: 0, 1, 2 … */
export function filled(name: string, shape: readonly number[]): GivenTensor {
  return givenTensor(name, countingUp(shape));
}

export function countingUp(shape: readonly number[]): Tensor {
  return { shape, data: Float32Array.from({ length: elementCount(shape) }, (_, i) => i) };
}

export const checked = (tensors: readonly GivenTensor[], options?: DumpOptions) =>
  checkDump({ source: 'theirs', tensors, notes: [] }, CONFIG, options);

/** A .npy file. */
export function npyOf(header: string, data: Uint8Array | number = 0, version = 1): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const length = new Uint8Array(version === 1 ? 2 : 4);
  length.set([text.length & 255, (text.length >> 8) & 255]);
  if (version > 1) length[2] = text.length >> 16;
  const start = [0x93, ...Buffer.from('NUMPY'), version, 0];
  const bytes = typeof data === 'number' ? new Uint8Array(data) : data;
  return Uint8Array.from([...start, ...length, ...text, ...bytes]);
}

/** The header that NumPy writes. */
export const headerOf = (descr: string, shape: string, isFortran = false): string =>
  `{'descr': '${descr}', 'fortran_order': ${isFortran ? 'True' : 'False'}, 'shape': ${shape}, }\n`;
