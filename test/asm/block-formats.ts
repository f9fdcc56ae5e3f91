/**
 * q8_0 and q4_0 as llama.cpp's reference quantizers make them (ggml-quants.c), written plainly: the
 * judge of `asm/pack-blocks.ts`.
 */
import { roundToF16 } from '../../src/base/half.js';

const BLOCK = 32;

/** 32 numbers x = scale · quants. */
export interface Block {
  readonly scale: number;
  readonly quants: readonly number[];
}

export type BlockFormat = 'q8_0' | 'q4_0';

/** The blocks of one row; the last is filled up with zeros. */
export function quantizeRow(format: BlockFormat, row: ArrayLike<number>): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < row.length; start += BLOCK) {
    const x = Array.from({ length: BLOCK }, (_, i) =>
      start + i < row.length ? row[start + i] : 0,
    );
    blocks.push(format === 'q8_0' ? quantizeQ8(x) : quantizeQ4(x));
  }
  return blocks;
}

function quantizeQ8(x: readonly number[]): Block {
  const largest = Math.max(...x.map(Math.abs));
  const d = Math.fround(largest / 127);
  const inverse = d === 0 ? 0 : Math.fround(1 / d);
  return { scale: roundToF16(d), quants: x.map(v => halfAwayFromZero(Math.fround(v * inverse))) };
}

/** The quants are −8 … 7 here; stored is q + 8. */
function quantizeQ4(x: readonly number[]): Block {
  let max = 0;
  for (const v of x) if (Math.abs(v) > Math.abs(max)) max = v;
  const d = Math.fround(max / -8);
  const inverse = d === 0 ? 0 : Math.fround(1 / d);
  const quant = (v: number) =>
    Math.min(15, Math.trunc(Math.fround(Math.fround(v * inverse) + 8.5))) - 8;
  return { scale: roundToF16(d), quants: x.map(quant) };
}

const halfAwayFromZero = (v: number): number => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);

/** The first `length` numbers of the row that `blocks` stand for. */
export function dequantizeRow(blocks: readonly Block[], length: number): Float64Array {
  return Float64Array.from({ length }, (_, k) => {
    const { scale, quants } = blocks[Math.floor(k / BLOCK)];
    return scale * quants[k % BLOCK];
  });
}
