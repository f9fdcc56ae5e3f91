/**
 * The scales s[0 … 7] and minimums m[0 … 7] of Q4_K and Q5_K, 6 bits each, in 12 bytes, k = 0 … 3:
 *
 *     byte k        s[k], and above it the high 2 bits of s[k + 4]
 *     byte 4 + k    m[k], and above it the high 2 bits of m[k + 4]
 *     byte 8 + k    the low 4 bits of s[k + 4], and above them those of m[k + 4]
 */

/** Reads them into the first 8 places of `scales` and `minimums`. */
export function readSixBits(
  blocks: Uint8Array,
  at: number,
  scales: Uint8Array,
  minimums: Uint8Array,
): void {
  for (let k = 0; k < 4; k++) {
    const low = blocks[at + 8 + k];
    scales[k] = blocks[at + k] & 63;
    scales[k + 4] = (low & 15) | ((blocks[at + k] >> 6) << 4);
    minimums[k] = blocks[at + 4 + k] & 63;
    minimums[k + 4] = (low >> 4) | ((blocks[at + 4 + k] >> 6) << 4);
  }
}

export function writeSixBits(
  scales: Uint8Array,
  minimums: Uint8Array,
  out: Uint8Array,
  at: number,
): void {
  for (let k = 0; k < 4; k++) {
    out[at + k] = scales[k] | ((scales[k + 4] >> 4) << 6);
    out[at + 4 + k] = minimums[k] | ((minimums[k + 4] >> 4) << 6);
    out[at + 8 + k] = (scales[k + 4] & 15) | ((minimums[k + 4] & 15) << 4);
  }
}
