/** What a Llama is made of. See `parseConfig` for how config.json becomes one of these. */

/**
 * The checked configuration, and the glossary of the letters in shape comments:
 *
 * | letter | field              | Llama-2-7B-32K |
 * |--------|--------------------|----------------|
 * | V      | vocabSize          | 32,000         |
 * | D      | hiddenSize         | 4,096          |
 * | L      | numHiddenLayers    | 32             |
 * | H      | numAttentionHeads  | 32             |
 * | K      | numKeyValueHeads   | 32             |
 * | d      | headDim            | 128            |
 * | F      | intermediateSize   | 11,008         |
 * | R      | rows: (token, position, sequence) triples in one forward pass |
 * | T      | positions a row can see: its own and all before it            |
 */
export interface LlamaConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  /** Linear position interpolation: position p is rotated as p / ropeFactor. 1 when there is no scaling. */
  readonly ropeFactor: number;
  /** The limit on positions: 0 … maxPositionEmbeddings − 1. */
  readonly maxPositionEmbeddings: number;
  readonly tieWordEmbeddings: boolean;
  readonly bosTokenId: number;
  /** Every id that ends a text, the first being the usual one. */
  readonly eosTokenIds: readonly number[];
}
