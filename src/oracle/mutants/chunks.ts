/** Prompts that are read in chunks: of how many tokens. */
export const CHUNKS = [64, 128, 256, 512];
