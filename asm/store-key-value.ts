/**
 * A row of keys and values becomes a position of a page; layout in `key-value.ts`.
 *
 * Numerics: F32 as they are. F16 rounded to nearest, ties to even. Q8 as `block-scale.ts` says,
 * with integers of −127 … 127: a number is off by at most half a step, which is 1/254 of the
 * largest in its block.
 */
import { inverseOf, largestSize, scaleOf, toInteger } from './block-scale';
import { F16, F32, isF16, isQ8, Q8 } from './cache-format';
import { f16Bits, isBeyondF16 } from './f16';
import {
  BLOCK,
  headBytes,
  keysBytes,
  keyScalesBytes,
  numberOffset,
  PAGE_POSITIONS,
  STEP,
  stepsBytes,
  valueScalesBytes,
  valuesOffset,
} from './key-value';

const LIMIT: f32 = 127;

/**
 * Row `row` of keys and values (strides in floats) becomes position `slot` of the page whose layer
 * begins at `page`.
 */
export function storeKeyValueF32(
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
  storeKeyValue<F32>(
    keys + ((row * keyStride) << 2),
    values + ((row * valueStride) << 2),
    page,
    slot,
    numKeyValueHeads,
    headDim,
  );
}

/** Returns how many numbers no f16 is near: unless it is 0, the position is worthless. */
export function storeKeyValueF16(
  keys: usize,
  keyStride: usize,
  values: usize,
  valueStride: usize,
  row: usize,
  page: usize,
  slot: usize,
  numKeyValueHeads: usize,
  headDim: usize,
): u32 {
  return storeKeyValue<F16>(
    keys + ((row * keyStride) << 2),
    values + ((row * valueStride) << 2),
    page,
    slot,
    numKeyValueHeads,
    headDim,
  );
}

export function storeKeyValueQ8(
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
  storeKeyValue<Q8>(
    keys + ((row * keyStride) << 2),
    values + ((row * valueStride) << 2),
    page,
    slot,
    numKeyValueHeads,
    headDim,
  );
}

function storeKeyValue<T>(
  key: usize,
  value: usize,
  page: usize,
  slot: usize,
  numKeyValueHeads: usize,
  headDim: usize,
): u32 {
  let unstorable: u32 = 0;
  for (let head: usize = 0; head < numKeyValueHeads; head++) {
    const keys = page + head * headBytes<T>(headDim);
    unstorable += storeKey<T>(
      keys + (slot / STEP) * keysBytes<T>(headDim),
      slot % STEP,
      key,
      headDim,
    );
    unstorable += storeValue<T>(keys + valuesOffset<T>(headDim), slot, value, headDim);
    key += headDim << 2;
    value += headDim << 2;
  }
  return unstorable;
}

/** One of the 16 keys at `keys`. */
function storeKey<T>(keys: usize, lane: usize, key: usize, headDim: usize): u32 {
  let scale = keys + (lane << 2);
  let unstorable: u32 = 0;
  for (let start: usize = 0; start < headDim; start += BLOCK) {
    const end = min(start + BLOCK, headDim);
    const inverse = storeScale<T>(scale, key + (start << 2), end - start);
    for (let i = start; i < end; i++) {
      unstorable += storeNumber<T>(
        keys + keyScalesBytes<T>(headDim) + numberOffset<T>(i, lane),
        load<f32>(key + (i << 2)),
        inverse,
      );
    }
    scale += STEP << 2;
  }
  return unstorable;
}

function storeValue<T>(values: usize, slot: usize, value: usize, headDim: usize): u32 {
  const inverse = storeScale<T>(values + (slot << 2), value, headDim);
  const numbers = values + valueScalesBytes<T>();
  let unstorable: u32 = 0;
  for (let i: usize = 0; i < headDim; i++) {
    const column = numbers + (i / STEP) * stepsBytes<T>(PAGE_POSITIONS);
    unstorable += storeNumber<T>(
      column + numberOffset<T>(slot, i % STEP),
      load<f32>(value + (i << 2)),
      inverse,
    );
  }
  return unstorable;
}

/**
 * Stores the scale of `count` numbers, if the format has one; returns what turns them into
 * integers.
 */
// @ts-ignore: decorator
@inline
function storeScale<T>(scale: usize, x: usize, count: usize): f32 {
  if (!isQ8<T>()) return 0;
  const largest = largestSize(x, count);
  store<f32>(scale, scaleOf(largest, LIMIT));
  return inverseOf(largest, LIMIT);
}

/** Returns 1 for a number that the format cannot hold. */
// @ts-ignore: decorator
@inline
function storeNumber<T>(to: usize, x: f32, inverse: f32): u32 {
  if (isQ8<T>()) store<i8>(to, <i8>toInteger(x, inverse));
  else if (isF16<T>()) store<u16>(to, <u16>f16Bits(x));
  else store<f32>(to, x);
  return isF16<T>() ? <u32>isBeyondF16(x) : 0;
}
