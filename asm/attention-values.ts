/**
 * Σ_t p[t] · v[t, i] over the positions of a page; layout in `key-value.ts`.
 *
 * Numerics: four positions are summed, then added to the sum; the last visible mod 4 positions are added one by one. Running sums stay in
 * memory (the first level of the cache): eight factors p in registers and independent i leave nothing to wait for, whatever d is, and the
 * values are read front to back.
 */

/** sum [dPadded] += p [64] · values [64][dPadded], positions 0 … visible − 1. */
export function addValues(sum: usize, bytes: usize, p: usize, values: usize, visible: usize): void {
  let t: usize = 0;
  for (; t + 8 <= visible; t += 8) {
    addEight(sum, bytes, p, values);
    p += 32;
    values += bytes << 3;
  }
  if (t + 4 <= visible) {
    addFour(sum, bytes, p, values);
    t += 4;
    p += 16;
    values += bytes << 2;
  }
  for (; t < visible; t++) {
    const factor = v128.load32_splat(p);
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(sum + i, f32x4.add(v128.load(sum + i), f32x4.mul(factor, v128.load(values + i))));
    }
    p += 4;
    values += bytes;
  }
}

function addEight(sum: usize, bytes: usize, p: usize, values: usize): void {
  const p0 = v128.load32_splat(p);
  const p1 = v128.load32_splat(p, 4);
  const p2 = v128.load32_splat(p, 8);
  const p3 = v128.load32_splat(p, 12);
  const p4 = v128.load32_splat(p, 16);
  const p5 = v128.load32_splat(p, 20);
  const p6 = v128.load32_splat(p, 24);
  const p7 = v128.load32_splat(p, 28);
  const later = bytes << 2;
  const bytes3 = bytes * 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = values + i;
    const w = v + later;
    const first = f32x4.add(v128.load(sum + i), fourTerms(p0, p1, p2, p3, v, bytes, bytes3));
    v128.store(sum + i, f32x4.add(first, fourTerms(p4, p5, p6, p7, w, bytes, bytes3)));
  }
}

function addFour(sum: usize, bytes: usize, p: usize, values: usize): void {
  const p0 = v128.load32_splat(p);
  const p1 = v128.load32_splat(p, 4);
  const p2 = v128.load32_splat(p, 8);
  const p3 = v128.load32_splat(p, 12);
  for (let i: usize = 0; i < bytes; i += 16) {
    const terms = fourTerms(p0, p1, p2, p3, values + i, bytes, bytes * 3);
    v128.store(sum + i, f32x4.add(v128.load(sum + i), terms));
  }
}

// @ts-ignore: decorator
@inline
function fourTerms(p0: v128, p1: v128, p2: v128, p3: v128, v: usize, bytes: usize, bytes3: usize): v128 {
  let terms = f32x4.mul(p0, v128.load(v));
  terms = f32x4.add(terms, f32x4.mul(p1, v128.load(v + bytes)));
  terms = f32x4.add(terms, f32x4.mul(p2, v128.load(v + (bytes << 1))));
  return f32x4.add(terms, f32x4.mul(p3, v128.load(v + bytes3)));
}
