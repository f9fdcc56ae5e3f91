/** What the endpoints with text call by different names: see `answer.ts`, which does the rest. */
import type { GenerationStep } from '../../text/result.js';
import type { WrittenText } from '../texts/written.js';

/** How the choices of one answer are written; it may keep state for each. */
export interface Shape {
  /** With which the answer's id begins. */
  readonly prefix: string;
  /** Of a whole answer, and of an event. */
  readonly objects: { readonly whole: string; readonly event: string };
  /** What a whole answer of `texts` has besides, and the first event, when there are none yet. */
  besides(texts: readonly WrittenText[]): object;
  /** A choice of a whole answer. */
  whole(index: number, text: WrittenText): object;
  /** What comes before any token; undefined for nothing. */
  begin(index: number): object | undefined;
  /** What comes with a token; undefined if there is nothing to tell. */
  part(index: number, step: GenerationStep): object | undefined;
  /** What comes behind all tokens, with the reason of the end. */
  end(index: number): object;
}
