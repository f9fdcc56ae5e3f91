/** A way to ask a server, and what comes of it. */
import type { Scores } from './asked.js';
import type { Completions } from './completions.js';
import type { Question } from './question.js';

export interface Answer {
  readonly scores: readonly Scores[];
  readonly notes: readonly string[];
}

/** A way to ask; undefined if the server answers, but not to this. */
export type Way = (question: Question, completions: Completions) => Promise<Answer | undefined>;
