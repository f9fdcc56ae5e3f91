/**
 * The 5-bit integers of Q5_0 and Q5_1: 4 bytes of fifth bits, bit i being that of number i, then
 * the other bits as in Q4_0.
 */

/** As one integer of 32 bits. */
export function fifthBits(blocks: Uint8Array, at: number): number {
  return blocks[at] | (blocks[at + 1] << 8) | (blocks[at + 2] << 16) | (blocks[at + 3] << 24);
}

/** Writes 32 integers 0 … 31 as 4 + 16 bytes. */
export function packFives(q: Uint8Array, out: Uint8Array, at: number): void {
  out.fill(0, at, at + 4);
  for (let i = 0; i < 32; i++) out[at + (i >> 3)] |= (q[i] >> 4) << (i & 7);
  for (let i = 0; i < 16; i++) out[at + 4 + i] = (q[i] & 15) | ((q[16 + i] & 15) << 4);
}
