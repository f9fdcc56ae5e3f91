/**
 * Where a page of 64 positions keeps the keys and values of one layer, and how a new position comes to lie there.
 *
 *   keys    [K heads][2 halves of 32 positions][d][32 positions]: a lane per position, so that no score needs a horizontal sum
 *   values  [K heads][64 positions][dPadded]: a row per position, dPadded being d rounded up to a multiple of 4, the rest zero
 *
 * What attention reads for one head is contiguous in both.
 */

/** Positions per page. */
export const PAGE_POSITIONS: usize = 64;
/** 32 positions of one number of a key. */
export const KEY_STEP_BYTES: usize = 128;

// @ts-ignore: decorator
@inline
export function paddedHeadDim(headDim: usize): usize {
  return (headDim + 3) & ~3;
}

/** From the layer's start in the page to one head's keys. */
// @ts-ignore: decorator
@inline
export function keysOffset(head: usize, headDim: usize): usize {
  return (head * headDim * PAGE_POSITIONS) << 2;
}

/** From the layer's start in the page to one head's values. */
// @ts-ignore: decorator
@inline
export function valuesOffset(head: usize, numHeads: usize, headDim: usize): usize {
  return keysOffset(numHeads, headDim) + ((head * paddedHeadDim(headDim) * PAGE_POSITIONS) << 2);
}

/**
 * Row `row` of keys and values (strides in floats) becomes position `slot` of a page. `page` is where the page's layer begins.
 */
export function storeKeyValue(
  keys: usize,
  keyStride: usize,
  values: usize,
  valueStride: usize,
  row: usize,
  page: usize,
  slot: usize,
  numKeyValueHeads: usize,
  headDim: usize,
): void {
  const headBytes = headDim << 2;
  const paddedBytes = paddedHeadDim(headDim) << 2;
  let key = keys + ((row * keyStride) << 2);
  let value = values + ((row * valueStride) << 2);
  for (let head: usize = 0; head < numKeyValueHeads; head++) {
    let to = page + keysOffset(head, headDim) + (slot >> 5) * headDim * KEY_STEP_BYTES + ((slot & 31) << 2);
    for (let i: usize = 0; i < headBytes; i += 4) {
      store<f32>(to, load<f32>(key + i));
      to += KEY_STEP_BYTES;
    }
    to = page + valuesOffset(head, numKeyValueHeads, headDim) + slot * paddedBytes;
    memory.copy(to, value, headBytes);
    memory.fill(to + headBytes, 0, paddedBytes - headBytes);
    key += headBytes;
    value += headBytes;
  }
}
