/**
 * What `asm/attention.ts` needs per call: for each head of a group 64 scores; for each row and head the weighted sum, the maximum and the
 * total so far.
 */
export function attentionScratchBytes(groupSize: number, headDim: number, rows = 1): number {
  return groupSize * 4 * (64 + rows * (Math.ceil(headDim / 4) * 4 + 2));
}
