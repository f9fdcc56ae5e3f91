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
import { kernelsBench } from './kernels.bench.js';
import { loadBench } from './load.bench.js';
import { makeModel } from './make.js';
import { positionsBench } from './positions.bench.js';
import { threadsBench } from './threads.bench.js';
import { tokenizerBench } from './tokenizer.bench.js';

const PARTS: Record<string, () => Promise<void>> = {
  kernels: kernelsBench,
  attention: attentionBench,
  engine: engineBench,
  exact: exactBench,
  tokenizer: tokenizerBench,
  load: loadBench,
  convert: convertBench,
};
/** Too long for every run, or no benchmark, and with options of their own. */
const ON_REQUEST: Record<string, (args: string[]) => Promise<void>> = {
  positions: positionsBench,
  make: makeModel,
  answers: answersBench,
  threads: threadsBench,
};

const wanted = process.argv.slice(2);
const [first, ...args] = wanted;
const isOnRequest = wanted.length > 0 && first in ON_REQUEST;
const unknown = isOnRequest ? undefined : wanted.find(name => !(name in PARTS));
if (unknown !== undefined) {
  console.error(
    `there is no bench "${unknown}"; there are: ` +
      `${Object.keys({ ...PARTS, ...ON_REQUEST }).join(', ')}`,
  );
  process.exit(2);
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model}`);
if (isOnRequest) await ON_REQUEST[first](args);
else {
  for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) {
    console.log(`\n${name}`);
    await PARTS[name]();
  }
}
