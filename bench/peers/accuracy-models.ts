/**
 * What `accuracy.js` compares on: a small trained model, and random ones that are long enough for
 * positions to matter.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelDirectory } from '../../src/load/model-files.js';
import { EMBEDDING, LM_HEAD } from '../../src/model/weights.js';
import { asStored, encodeGgml, type GgmlType } from '../ggml-types.js';
import type { Numbers } from '../numbers.js';
import { normalTable, randomNumbers } from '../random-weights.js';
import { SHAPES, type Shape, type ShapeName } from '../shapes.js';

export interface AccuracyModel {
  readonly about: string;
  readonly shape: Shape;
  /** All of them f32, those of the embedding f16. */
  readonly numbers: Numbers;
  /**
   * What is left of them when all matrices but the embedding are stored as `type`; `numbers` itself
   * if that changes nothing.
   */
  stored(type: GgmlType): Numbers;
  readonly tokens: readonly number[];
  /** Where logits are compared. */
  readonly positions: readonly number[];
  /** The arithmetic of the truth: float32 where float64 would take hours. */
  readonly truth: 'exact f64' | 'llama-32k f32';
}

const FILLED = 192; // a multiple of 32, which rows of llama.cpp's blocks must be

/**
 * 260,000 trained parameters, on the story that they tell. Its intermediate size of 172 is filled
 * up to 192 with rows and columns of zeros, which change nothing: silu(0)·0 = 0.
 */
export async function stories260k(directory: string): Promise<AccuracyModel> {
  const { config, checkpoint } = await openModelDirectory(directory);
  const {
    vocabSize: V,
    hiddenSize: D,
    numHiddenLayers: L,
    numAttentionHeads: H,
    numKeyValueHeads: K,
  } = config;
  const { maxPositionEmbeddings: positions } = config;
  const tensors = new Map<string, Float32Array>();
  for (const [name, tensor] of checkpoint.tensors) {
    const columns = tensor.shape[tensor.shape.length - 1];
    const toColumns = name.endsWith('down_proj.weight') ? FILLED : columns;
    const rows =
      name.endsWith('gate_proj.weight') || name.endsWith('up_proj.weight')
        ? FILLED
        : tensor.shape[0];
    const length = tensor.shape.length === 1 ? columns : rows * toColumns;
    tensors.set(name, filled(await tensor.read(), columns, toColumns, length));
  }
  await checkpoint.close();
  const embedding = tensors.get(EMBEDDING)!;
  tensors.set(LM_HEAD, embedding);
  tensors.set(EMBEDDING, asStored('f16', embedding));

  const numbers = numbersOf(tensors);
  const story = JSON.parse(await readFile(join(directory, 'greedy.json'), 'utf8')) as Record<
    string,
    number[]
  >;
  const tokens = [...story.prompt, ...story.tokens];
  return {
    about: 'stories260k, trained',
    shape: { V, D, F: FILLED, L, H, K, positions, ropeFactor: 1 },
    numbers,
    stored(type) {
      if (type === 'f32') return numbers;
      const change = (name: string, x: Float32Array) => (isRounded(name) ? asStored(type, x) : x);
      return numbersOf(new Map([...tensors].map(([name, x]) => [name, change(name, x)])));
    },
    tokens,
    positions: tokens.map((_, position) => position).filter(position => position % 8 === 0),
    truth: 'exact f64',
  };
}

/** A random model, on a random text. */
export function randomModel(
  shapeName: ShapeName,
  length: number,
  truth: AccuracyModel['truth'],
  tokenAt: (position: number, vocabSize: number) => number,
): AccuracyModel {
  const shape = SHAPES[shapeName];
  const numbers = randomNumbers();
  return {
    about: `${shapeName}, random, factor ${shape.ropeFactor}`,
    shape,
    numbers,
    stored(type) {
      if (type === 'f32' || type === 'f16') return numbers;
      const changed = randomNumbers(asStored(type, normalTable()));
      const matrix: Numbers['matrix'] = (name, ...rest) =>
        (isRounded(name) ? changed : numbers).matrix(name, ...rest);
      return { ...numbers, matrix };
    },
    tokens: Array.from({ length }, (_, position) => tokenAt(position, shape.V)),
    positions: positionsUpTo(length),
    truth,
  };
}

function isRounded(name: string): boolean {
  return name !== EMBEDDING && !name.includes('norm');
}

function numbersOf(tensors: ReadonlyMap<string, Float32Array>): Numbers {
  return {
    *matrix(name, _, type) {
      yield encodeGgml(type, tensors.get(name)!);
    },
    vector: name => tensors.get(name)!,
  };
}

/** Rows of `columns` numbers as rows of `toColumns`, and zeros up to `length`. */
function filled(
  from: ArrayLike<number>,
  columns: number,
  toColumns: number,
  length: number,
): Float32Array {
  const to = new Float32Array(length);
  for (let i = 0; i < from.length; i++)
    to[Math.floor(i / columns) * toColumns + (i % columns)] = from[i];
  return to;
}

/**
 * The first ones, then four for each doubling, and the last ones: beyond 4,096 position
 * interpolation is all that helps.
 */
function positionsUpTo(length: number): number[] {
  const spread = Array.from({ length: 64 }, (_, i) => Math.floor(2 ** (i / 4)));
  const wanted = [0, ...spread, length - 33, length - 2, length - 1];
  return [...new Set(wanted.filter(position => position >= 0 && position < length))].sort(
    (a, b) => a - b,
  );
}
