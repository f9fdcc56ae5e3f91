/** The modules whose code V8 is to pack, two vectors of 128 bits into one of 256. */
export const MODULES = ['relaxed-wide', 'dot4-wide'] as const;
