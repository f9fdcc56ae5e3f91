/**
 * Turns point i of every head, (x[i], x[i + half]), by the angle whose cosine and sine the table
 * has; see `src/ops/rope.ts`.
 *
 * Numerics: both products and their sum are rounded to float32: the specification's bits.
 */

/**
 * Rows firstRow … endRow − 1 of x, in place; strides in floats. Row r of x turns by row r of
 * cosines and sines [R, half].
 */
export function rope(
  x: usize,
  stride: usize,
  cosines: usize,
  sines: usize,
  tableStride: usize,
  half: usize,
  heads: usize,
  firstRow: usize,
  endRow: usize,
): void {
  const halfBytes = half << 2;
  for (let row = firstRow; row < endRow; row++) {
    const table = (row * tableStride) << 2;
    let head = x + ((row * stride) << 2);
    for (let h: usize = 0; h < heads; h++) {
      rotateHead(head, cosines + table, sines + table, halfBytes);
      head += halfBytes << 1;
    }
  }
}

function rotateHead(head: usize, cosines: usize, sines: usize, halfBytes: usize): void {
  const vectorBytes = halfBytes & ~15;
  for (let i: usize = 0; i < vectorBytes; i += 16) {
    const c = v128.load(cosines + i);
    const s = v128.load(sines + i);
    const a = v128.load(head + i);
    const b = v128.load(head + halfBytes + i);
    v128.store(head + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
    v128.store(head + halfBytes + i, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
  }
  for (let i = vectorBytes; i < halfBytes; i += 4) {
    const c = load<f32>(cosines + i);
    const s = load<f32>(sines + i);
    const a = load<f32>(head + i);
    const b = load<f32>(head + halfBytes + i);
    store<f32>(head + i, a * c - b * s);
    store<f32>(head + halfBytes + i, b * c + a * s);
  }
}
