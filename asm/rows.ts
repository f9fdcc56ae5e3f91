/**
 * What packing reads: consecutive numbers of a row.
 *
 * At the edges of a matrix rows or numbers are missing. There they are put together one by one,
 * with zeros for what is not there; elsewhere (`whole`, mostly known when compiling) it is one
 * load.
 */

/** Numbers k … k + 3 of the float32 row at `from`, which has m, if it exists. */
// @ts-ignore: decorator
@inline
export function fourNumbers(from: usize, k: u32, m: u32, exists: bool, whole: bool): v128 {
  const at = from + ((<usize>k) << 2);
  return whole ? v128.load(at) : someNumbers(at, exists && k < m ? m - k : 0);
}

/** The same of a row of 16-bit numbers: k … k + 7. */
// @ts-ignore: decorator
@inline
export function eightHalves(from: usize, k: u32, m: u32, exists: bool, whole: bool): v128 {
  const at = from + ((<usize>k) << 1);
  return whole ? v128.load(at) : someHalves(at, exists && k < m ? m - k : 0);
}

function someNumbers(at: usize, count: u32): v128 {
  let numbers = f32x4.splat(0);
  if (count > 0) numbers = v128.load_lane<u32>(at, numbers, 0);
  if (count > 1) numbers = v128.load_lane<u32>(at, numbers, 1, 4);
  if (count > 2) numbers = v128.load_lane<u32>(at, numbers, 2, 8);
  if (count > 3) numbers = v128.load_lane<u32>(at, numbers, 3, 12);
  return numbers;
}

function someHalves(at: usize, count: u32): v128 {
  let numbers = i16x8.splat(0);
  if (count > 0) numbers = v128.load_lane<u16>(at, numbers, 0);
  if (count > 1) numbers = v128.load_lane<u16>(at, numbers, 1, 2);
  if (count > 2) numbers = v128.load_lane<u16>(at, numbers, 2, 4);
  if (count > 3) numbers = v128.load_lane<u16>(at, numbers, 3, 6);
  if (count > 4) numbers = v128.load_lane<u16>(at, numbers, 4, 8);
  if (count > 5) numbers = v128.load_lane<u16>(at, numbers, 5, 10);
  if (count > 6) numbers = v128.load_lane<u16>(at, numbers, 6, 12);
  if (count > 7) numbers = v128.load_lane<u16>(at, numbers, 7, 14);
  return numbers;
}
