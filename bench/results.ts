/**
 * What was measured, a file for each processor: `bench/results/processors/<slug>.json`. A run
 * writes its own parts into the file of its own processor, and leaves everything else as it is.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Processor, slugOf, thisProcessor } from './processor.js';

/** When and with what something was measured; null where that was not written down. */
export interface Circumstances {
  readonly date: string;
  readonly node: string | null;
  readonly v8: string | null;
  readonly version: string | null;
  readonly threads: number;
}

/** A model against llama.cpp, native, in turns; null where a figure was not written down. */
export interface Comparison extends Circumstances {
  readonly model: string;
  readonly weights: string;
  readonly promptTokens: number | null;
  /** Tokens per second, and how many times llama.cpp's they are. */
  readonly decode: number | null;
  readonly decodeRatio: number | null;
  readonly prefill: number | null;
  readonly prefillRatio: number | null;
  /** Weights read while decoding, 10^9 bytes per second. */
  readonly weightsRead: number | null;
  /** 10^9 bytes. */
  readonly peakMemory: number | null;
}

export interface Results {
  /** `called`: by people, in the README. */
  readonly processor: Processor & { readonly called?: string; readonly note?: string };
  readonly comparisons?: readonly Comparison[];
  /** By the name of the bench. */
  readonly benches?: Readonly<Record<string, Circumstances & { readonly figures: unknown }>>;
}

/** From `dist-bench/bench` when it runs, from `bench` in tests. */
const HERE = new URL('.', import.meta.url);
const ROOT = new URL(HERE.pathname.endsWith('/dist-bench/bench/') ? '../../' : '../', HERE);
export const RESULTS = fileURLToPath(new URL('bench/results/processors/', ROOT));

/** Of every processor, by the names of their files. */
export function readResults(folder: string = RESULTS): Map<string, Results> {
  const names = readdirSync(folder).filter(name => name.endsWith('.json'));
  return new Map(
    names.sort().map(name => [name, JSON.parse(readFileSync(join(folder, name), 'utf8'))]),
  );
}

/** Puts the figures of one bench into this processor's file. Gives its path. */
export function recordBench(bench: string, figures: unknown, folder: string = RESULTS): string {
  return updateResults(folder, results => ({
    ...results,
    benches: { ...results.benches, [bench]: { ...circumstances(), figures } },
  }));
}

/** Puts a comparison there, instead of the one before of that model and those weights. */
export function recordComparison(
  comparison: Omit<Comparison, 'date' | 'node' | 'v8' | 'version'>,
  folder: string = RESULTS,
): string {
  const { model, weights, threads } = comparison;
  return updateResults(folder, results => ({
    ...results,
    comparisons: [
      ...(results.comparisons ?? []).filter(
        old => old.model !== model || old.weights !== weights || old.threads !== threads,
      ),
      { ...circumstances(threads), ...comparison },
    ],
  }));
}

function updateResults(folder: string, update: (results: Results) => Results): string {
  const processor = thisProcessor();
  const name = `${slugOf(processor)}.json`;
  mkdirSync(folder, { recursive: true });
  const before = readResults(folder).get(name);
  const results = update({ ...before, processor: { ...before?.processor, ...processor } });
  writeFileSync(join(folder, name), `${JSON.stringify(results, null, 2)}\n`);
  return join(folder, name);
}

function circumstances(threads = 1): Circumstances {
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  const date = new Date().toISOString().slice(0, 10);
  return { date, node: process.versions.node, v8: process.versions.v8, version, threads };
}
