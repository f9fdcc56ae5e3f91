/** What `asm/attention.ts` needs per call: for each head of a group 64 scores, the weighted sum, the maximum and the total so far. */
export function attentionScratchBytes(groupSize: number, headDim: number): number {
  return groupSize * 4 * (64 + Math.ceil(headDim / 4) * 4 + 2);
}
