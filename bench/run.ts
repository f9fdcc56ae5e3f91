/**
 * `npm run bench`: every figure in the README. Let nothing else run meanwhile. `npm run bench --
 * tokenizer` runs one part, `npm run bench -- positions --tokens 8192` one that runs only when
 * asked for.
 */
import { cpus } from 'node:os';
import { answersBench } from './answers.js';
import { attentionBench } from './attention.bench.js';
import { convertBench } from './convert.bench.js';
import { engineBench } from './engine.bench.js';
import { exactBench } from './exact.bench.js';
import { grammarBench } from './grammar.bench.js';
import { kernelsBench } from './kernels.bench.js';
import { limitsBench } from './limits.bench.js';
import { loadBench } from './load.bench.js';
import { lookupBench } from './lookup.bench.js';
import { makeModel } from './make.js';
import { perplexityBench } from './perplexity.bench.js';
import { positionsBench } from './positions.bench.js';
import { recordBench } from './results.js';
import { rowsBench } from './rows.bench.js';
import { servingBench } from './serving/serving.bench.js';
import { soakBench } from './soak/soak.js';
import { tableBench } from './table.js';
import { threadsBench } from './threads.bench.js';
import { tokenizerBench } from './tokenizer.bench.js';

/** What one gives is kept in the file of this processor. */
const PARTS: Record<string, () => Promise<unknown>> = {
  kernels: kernelsBench,
  attention: attentionBench,
  engine: engineBench,
  exact: exactBench,
  tokenizer: tokenizerBench,
  load: loadBench,
  convert: convertBench,
};
/** Only by name: too long for every run, and kept as the others are. */
const LONG: Record<string, () => Promise<unknown>> = { limits: limitsBench, lookup: lookupBench };
/** Too long for every run, or no benchmark, and with options of their own. */
const ON_REQUEST: Record<string, (args: string[]) => Promise<void>> = {
  positions: positionsBench,
  rows: rowsBench,
  perplexity: perplexityBench,
  make: makeModel,
  answers: answersBench,
  threads: threadsBench,
  grammar: grammarBench,
  serve: servingBench,
  soak: soakBench,
  table: tableBench,
};

const KEPT = { ...PARTS, ...LONG };

const wanted = process.argv.slice(2);
const [first, ...args] = wanted;
const isOnRequest = wanted.length > 0 && first in ON_REQUEST;
const unknown = isOnRequest ? undefined : wanted.find(name => !(name in KEPT));
if (unknown !== undefined) {
  console.error(
    `there is no bench "${unknown}"; there are: ` +
      `${Object.keys({ ...KEPT, ...ON_REQUEST }).join(', ')}`,
  );
  process.exit(2);
}

if (first !== 'table')
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model}`);
if (isOnRequest) await ON_REQUEST[first](args);
else {
  for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) {
    console.log(`\n${name}`);
    await runPart(name, KEPT[name]);
  }
}

async function runPart(name: string, bench: () => Promise<unknown>): Promise<void> {
  const figures = await bench();
  if (figures !== undefined) console.log(`written: ${recordBench(name, figures)}`);
}
