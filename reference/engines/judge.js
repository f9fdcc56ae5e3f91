/**
 * What `llama-32k compare` says of many dumps of one model, text and type, with one budget for all,
 * which is what takes time: a line of JSON for each dump. Only logits are compared.
 *
 *     node reference/engines/judge.js '{"model", "type", "cache", "dumps": [PATH, …]}'
 */
import { openModelFiles } from '../../dist/load/model-files.js';
import { Runs } from '../../dist/oracle/budget/runs.js';
import { observedTensors } from '../../dist/oracle/compare/cases.js';
import { readDump } from '../../dist/oracle/dump/read-dump.js';
import { Subject } from '../../dist/oracle/noise/subject.js';
import { declaredType } from '../../dist/oracle/noise/types.js';
import { judge } from '../../dist/oracle/verdict/judge.js';

const FALSE_ALARM_RATE = 1e-3; // as `compare`
const SAMPLES = 12;

const { model, type: typeName, cache, dumps } = JSON.parse(process.argv[2]);
const { config, checkpoint } = await openModelFiles(model);
const type = declaredType(typeName, cache);
const observed = [];
let tokens;
for (const path of dumps) {
  const dump = await readDump(path, config);
  tokens ??= dump.tokens;
  if (String(dump.tokens) !== String(tokens)) throw new Error(`${path} is of another text`);
  observed.push(observedTensors(dump, config).find(({ name }) => name === 'lm_head'));
}
const runs = new Runs(new Subject(config, checkpoint, type), { tokens, observed });
const drawing = { type, samples: SAMPLES, falseAlarmRate: FALSE_ALARM_RATE, seed: 1 };
const { truth, budgets } = await runs.measure(drawing);
for (const [i, { verdict, maxRatio, worst, relL2 }] of judge(observed, truth, budgets).entries())
  console.log(JSON.stringify({ dump: dumps[i], verdict, maxRatio, relL2, position: worst.row }));
await checkpoint.close();
