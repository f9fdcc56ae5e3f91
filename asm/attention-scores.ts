/**
 * q · k of a group's heads with the positions of a page; layout in `key-value.ts`.
 *
 * Numerics: one running sum over i = 0 … d − 1 per score. Eight of them go on at a time, because an addition takes longer than one step:
 * 32 positions of one head, or 16 of two, which loads each key once for both.
 */
import { KEY_STEP_BYTES } from './key-value';

/** scores [groupSize][64]; query [groupSize][d]. Positions from `visible` on may be computed, from whatever is there, or not. */
export function scorePage(
  scores: usize,
  query: usize,
  keys: usize,
  visible: usize,
  groupSize: usize,
  headDim: usize,
): void {
  const headBytes = headDim << 2;
  const halfBytes = headDim * KEY_STEP_BYTES;
  const pairs = groupSize & ~1;
  for (let g: usize = 0; g < pairs; g += 2) {
    const out = scores + (g << 8);
    const q = query + g * headBytes;
    score16OfTwo(out, q, headBytes, keys);
    if (visible > 16) score16OfTwo(out + 64, q, headBytes, keys + 64);
    if (visible > 32) score16OfTwo(out + 128, q, headBytes, keys + halfBytes);
    if (visible > 48) score16OfTwo(out + 192, q, headBytes, keys + halfBytes + 64);
  }
  if (pairs < groupSize) {
    const out = scores + (pairs << 8);
    const q = query + pairs * headBytes;
    score32OfOne(out, q, headBytes, keys);
    if (visible > 32) score32OfOne(out + 128, q, headBytes, keys + halfBytes);
  }
}

/** 16 positions for the heads at q and at q + headBytes. */
function score16OfTwo(out: usize, q: usize, headBytes: usize, keys: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  for (let i: usize = 0; i < headBytes; i += 4) {
    const x = v128.load32_splat(q + i);
    const y = v128.load32_splat(q + headBytes + i);
    const k0 = v128.load(keys);
    const k1 = v128.load(keys, 16);
    const k2 = v128.load(keys, 32);
    const k3 = v128.load(keys, 48);
    a0 = f32x4.add(a0, f32x4.mul(x, k0));
    b0 = f32x4.add(b0, f32x4.mul(y, k0));
    a1 = f32x4.add(a1, f32x4.mul(x, k1));
    b1 = f32x4.add(b1, f32x4.mul(y, k1));
    a2 = f32x4.add(a2, f32x4.mul(x, k2));
    b2 = f32x4.add(b2, f32x4.mul(y, k2));
    a3 = f32x4.add(a3, f32x4.mul(x, k3));
    b3 = f32x4.add(b3, f32x4.mul(y, k3));
    keys += KEY_STEP_BYTES;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  v128.store(out, b0, 256);
  v128.store(out, b1, 272);
  v128.store(out, b2, 288);
  v128.store(out, b3, 304);
}

/** 32 positions for the head at q. */
function score32OfOne(out: usize, q: usize, headBytes: usize, keys: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let a4 = f32x4.splat(0);
  let a5 = f32x4.splat(0);
  let a6 = f32x4.splat(0);
  let a7 = f32x4.splat(0);
  for (let i: usize = 0; i < headBytes; i += 4) {
    const x = v128.load32_splat(q + i);
    a0 = f32x4.add(a0, f32x4.mul(x, v128.load(keys)));
    a1 = f32x4.add(a1, f32x4.mul(x, v128.load(keys, 16)));
    a2 = f32x4.add(a2, f32x4.mul(x, v128.load(keys, 32)));
    a3 = f32x4.add(a3, f32x4.mul(x, v128.load(keys, 48)));
    a4 = f32x4.add(a4, f32x4.mul(x, v128.load(keys, 64)));
    a5 = f32x4.add(a5, f32x4.mul(x, v128.load(keys, 80)));
    a6 = f32x4.add(a6, f32x4.mul(x, v128.load(keys, 96)));
    a7 = f32x4.add(a7, f32x4.mul(x, v128.load(keys, 112)));
    keys += KEY_STEP_BYTES;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  v128.store(out, a4, 64);
  v128.store(out, a5, 80);
  v128.store(out, a6, 96);
  v128.store(out, a7, 112);
}
