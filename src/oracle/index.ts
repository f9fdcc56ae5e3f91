/**
 * The oracle as a library, `llama-32k/oracle`: whether another implementation computes a model, and
 * if not, where and why. docs/oracle.md has an example.
 */
export { observedLogits, observedScores, observedTensors } from './compare/cases.js';
export {
  type ComparisonOptions,
  compareWithModel,
  type Theirs,
} from './compare/compare-with-model.js';
export type { Dump, DumpOptions, DumpTensor } from './dump/check-dump.js';
export type { Names } from './dump/names-file.js';
export { readDump } from './dump/read-dump.js';
export { askEndpoint } from './endpoint/ask.js';
export type { Asked, AskedLogits, AskOptions, Scores } from './endpoint/asked.js';
export { type AnswerFunction, askFunction, type FunctionOptions } from './endpoint/function.js';
export { askProcess, type ProcessOptions } from './endpoint/process.js';
export { tokenNames } from './endpoint/token-names.js';
export type { Precision } from './noise/types.js';
export type { Observed, ObservedRow } from './observed/observed.js';
export { writeHtml } from './report/html.js';
export {
  type FindingJson,
  type JsonNumber,
  type ReportJson,
  type TensorJson,
  toReportJson,
} from './report/json.js';
export { writeJunit } from './report/junit.js';
export { type ReportStyle, writeReport } from './report/terminal.js';
export {
  type Comparison,
  conforms,
  type Divergence,
  type Finding,
  type RowError,
  type TensorResult,
  type Verdict,
  type WorstNumber,
} from './result.js';
