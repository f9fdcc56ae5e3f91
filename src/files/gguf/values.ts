/**
 * The metadata of a GGUF file: values with their types, as the file has them, and as plain
 * JavaScript values.
 */

/** The ids of the types, gguf_metadata_value_type. */
export const VALUE_TYPES = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

export type ValueType = keyof typeof VALUE_TYPES;

/** Numbers that fit into a JavaScript number; and truth values, which are one byte, 0 or 1. */
export type NumberType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64';
export type BigIntType = 'u64' | 'i64';

export type GgufValue =
  | { readonly type: NumberType; readonly value: number }
  | { readonly type: BigIntType; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: NumberType | 'bool'; readonly value: ArrayLike<number> }
  | { readonly type: 'array'; readonly of: BigIntType; readonly value: ArrayLike<bigint> }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] };

/** By key, in the order of the file. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** The arrays that hold numbers of each type, read from a file or about to be written to one. */
export const TYPED_ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  bool: Uint8Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
} as const;

/**
 * Values without their types. A float32 becomes the shortest decimal that rounds to it, 1e-5 and
 * not 9.999999747378752e-6: that is what the writer of the file had, in a config.json, before it
 * became a float32.
 */
export function plainValues(metadata: GgufMetadata): Record<string, unknown> {
  return Object.fromEntries([...metadata].map(([key, value]) => [key, plainValue(value)]));
}

function plainValue({ type, value }: GgufValue): unknown {
  if (type === 'f32') return shortestDecimal(value);
  if (type === 'u64' || type === 'i64') return Number(value);
  return value;
}

/**
 * Of the decimals that round to the float32 `x`, one with the fewest digits; nine tell any two
 * apart.
 */
export function shortestDecimal(x: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(x.toPrecision(digits));
    if (Math.fround(decimal) === x) return decimal;
  }
  return x;
}
