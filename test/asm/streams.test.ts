/**
 * Few rows that read two streams of tiles (`asm/streams.ts`): every output is, to the bit, what its
 * tile gives by itself. One tile more than two streams take is left over.
 */
import { expect, it } from 'vitest';
import {
  type PackedFormat,
  tileBytes,
  type WeightFormat,
} from '../../src/engines/wasm/memory/weight-formats.js';
import { BLOCK_FORMATS } from '../../src/files/blocks/blocks.js';
import { bits, float32, noise } from '../support/tensors.js';
import { blockLayer, DTYPES, type DType, formatOf, repack, SCALES } from './block-layer.js';
import { describeBuilds } from './instance.js';
import { linear } from './linear.js';
import { pack } from './packed.js';

/** From how many bytes on a stream pays. */
const LEAST_BYTES = 128 * 1024;

const tilesOfTwoStreams = (format: PackedFormat, m: number) =>
  2 * Math.ceil(LEAST_BYTES / tileBytes(format, m)) + 1;

/** Any bytes, and 0.01 wherever a block has a float16. */
function anyBlocks(dtype: DType, count: number): Uint8Array {
  const { bytes, numbers } = BLOCK_FORMATS[dtype];
  const blocks = Uint8Array.from(noise((count / numbers) * bytes, 3), x => (x + 1) * 128);
  const view = new DataView(blocks.buffer);
  for (let at = 0; at < blocks.length; at += bytes)
    for (const [place] of SCALES[dtype]) view.setUint16(at + place, 0x211f, true);
  return blocks;
}

describeBuilds('two streams', instance => {
  it('three tiles of 128 KiB are two streams, and one that is left over', () => {
    const packed = pack(instance, 'f32', float32(48 * 2048, 1), 2048);
    const x = float32(2048, 2);
    const each = [0, 1, 2].map(t => [t, t + 1] as const);
    const together = bits(linear(instance, x, packed, 48).numbers);
    expect(together).toEqual(bits(linear(instance, x, packed, 48, { tiles: each }).numbers));
  });

  // 1,500 numbers are no whole number of panels, and 1,501 none of pairs.
  it.each<[WeightFormat, number, number]>([
    ['f32', 1500, 1],
    ['f32', 1500, 5],
    ['bf16', 1501, 1],
    ['bf16', 1501, 4],
    ['bf16', 1501, 11],
    ['f16', 1500, 1],
    ['f16', 1500, 2],
    ['f16', 1500, 7],
  ])('%s, %i numbers, %i rows', (format, m, rows) => {
    const tiles = tilesOfTwoStreams(format, m);
    const packed = pack(instance, format, float32(16 * tiles * m, 1), m);
    const x = float32(rows * m, 2);
    const each = Array.from({ length: tiles }, (_, t) => [t, t + 1] as const);
    const together = bits(linear(instance, x, packed, 16 * tiles).numbers);
    expect(together).toEqual(
      bits(linear(instance, x, packed, 16 * tiles, { tiles: each }).numbers),
    );
  });

  // Four and a half runs of eight blocks of 32, or as many whole superblocks.
  it.each(DTYPES)('%s', dtype => {
    const m = BLOCK_FORMATS[dtype].numbers === 32 ? 1152 : 1280;
    const format = formatOf(dtype);
    const tiles = tilesOfTwoStreams(format, m);
    const rows = anyBlocks(dtype, 16 * tiles * m);
    const { pointer } = repack(instance, dtype, rows, 16 * tiles);
    const x = float32(m, 4);
    const [together] = blockLayer(instance, dtype, x, m, pointer, 16 * tiles).multiply(0, 1);
    for (let t = 0; t < tiles; t++) {
      const alone = blockLayer(instance, dtype, x, m, pointer + t * tileBytes(format, m), 16);
      expect(bits(together.slice(16 * t, 16 * t + 16))).toEqual(bits(alone.multiply(0, 1)[0]));
    }
  });
});
