/** Tokenizers for tests: those of golden/tokenizer, and small ones written here. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { LlamaError, type LlamaErrorCode } from '../../src/base/errors.js';
import {
  readSentencePieceModel,
  readTokenizerJson,
  type ScoredPiece,
  Tokenizer,
} from '../../src/tokenizer/index.js';

export interface Vectors {
  readonly encode: readonly {
    text: string;
    ids: number[];
    continuation: number[];
    metaspace?: number[];
  }[];
  readonly decode: readonly { ids: number[]; text: string; continuation: string; hf?: string }[];
}

export const goldenDirectory = fileURLToPath(new URL('../../golden/tokenizer/', import.meta.url));

export const goldenModel: Uint8Array = readFileSync(`${goldenDirectory}tokenizer.model`);
export const goldenJson = readFileSync(`${goldenDirectory}tokenizer.json`, 'utf8');
export const metaspaceJson = readFileSync(`${goldenDirectory}tokenizer-metaspace.json`, 'utf8');
export const vectors: Vectors = JSON.parse(readFileSync(`${goldenDirectory}vectors.json`, 'utf8'));

export const fromModel = new Tokenizer(readSentencePieceModel(goldenModel));
export const fromJson = new Tokenizer(readTokenizerJson(goldenJson));
export const fromMetaspace = new Tokenizer(readTokenizerJson(metaspaceJson));

/** The error that `run` throws, which must be a LlamaError with `code`. */
export function errorOf(code: LlamaErrorCode, run: () => unknown): LlamaError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(LlamaError);
    expect((error as LlamaError).code, (error as LlamaError).message).toBe(code);
    return error as LlamaError;
  }
  throw new Error(`no error, but ${code} was expected`);
}

// ── A writer of tokenizer.model ──

export const varint = (value: bigint | number): number[] => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
};
export const number = (field: number, value: bigint | number): number[] => [
  ...varint(field * 8),
  ...varint(value),
];
export const bytes = (field: number, value: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(value.length),
  ...value,
];
export const string = (field: number, value: string): number[] =>
  bytes(field, [...new TextEncoder().encode(value)]);
export const float = (field: number, value: number): number[] => [
  ...varint(field * 8 + 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

export const TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

export const piece = (text: string, score: number, type: number): number[] =>
  bytes(1, [...string(1, text), ...float(2, score), ...number(3, type)]);

export const bytePieces = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

/** Specials and bytes. */
export const basePieces: readonly number[][] = [
  piece('<unk>', 0, TYPE.unknown),
  piece('<s>', 0, TYPE.control),
  piece('</s>', 0, TYPE.control),
  ...bytePieces.map(text => piece(text, 0, TYPE.byte)),
];

/** Specials, bytes, and the normal pieces given with their scores. */
export function pieces(normal: Readonly<Record<string, number>>): number[] {
  return [
    ...basePieces,
    ...Object.entries(normal).map(([text, score]) => piece(text, score, TYPE.normal)),
  ].flat();
}

export const LLAMA_TRAINER = [...number(3, 2), ...number(35, 1)];
export const LLAMA_NORMALIZER = [...string(1, 'identity'), ...number(3, 1), ...number(4, 0)];

export interface Parts {
  pieces?: number[];
  trainer?: number[];
  normalizer?: number[];
  rest?: number[];
}

export function modelFile({ pieces: list, trainer, normalizer, rest }: Parts = {}): Uint8Array {
  return Uint8Array.from([
    ...(list ?? pieces({ '▁': -1, a: -2, b: -3, ab: -4 })),
    ...bytes(2, trainer ?? LLAMA_TRAINER),
    ...bytes(3, normalizer ?? LLAMA_NORMALIZER),
    ...(rest ?? []),
  ]);
}

/** A list of scored pieces with specials and bytes before them. */
export function scored(normal: Readonly<Record<string, number>>): ScoredPiece[] {
  return [
    { text: '<unk>', score: 0, type: 'unknown' },
    { text: '<s>', score: 0, type: 'control' },
    { text: '</s>', score: 0, type: 'control' },
    ...bytePieces.map(text => ({ text, score: 0, type: 'byte' as const })),
    ...Object.entries(normal).map(([text, score]) => ({ text, score, type: 'normal' as const })),
  ];
}
