/** `npm run bench`: every figure in the README. Let nothing else run meanwhile. `npm run bench -- tokenizer` runs one part. */
import { cpus } from 'node:os';
import { engineBench } from './engine.bench.js';
import { exactBench } from './exact.bench.js';
import { kernelsBench } from './kernels.bench.js';
import { loadBench } from './load.bench.js';
import { tokenizerBench } from './tokenizer.bench.js';

const PARTS: Record<string, () => Promise<void>> = {
  kernels: kernelsBench,
  engine: engineBench,
  exact: exactBench,
  tokenizer: tokenizerBench,
  load: loadBench,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find(name => !(name in PARTS));
if (unknown !== undefined) {
  console.error(`there is no bench "${unknown}"; there are: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model}`);
for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) {
  console.log(`\n${name}`);
  await PARTS[name]();
}
