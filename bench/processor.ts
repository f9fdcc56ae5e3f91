/** Which processor this is, as far as it tells, and how the file of its results is called. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

export interface Processor {
  readonly name: string;
  /** Numbers of the x86 family and model, which tell generations apart where names do not. */
  readonly family?: number;
  readonly model?: number;
  readonly cores: number;
  /** Of `TELLING`, those that it has. */
  readonly features: readonly string[];
}

/** Features that decide which instructions the kernels, or llama.cpp, become. */
const TELLING = [
  ...['avx2', 'f16c', 'avx_vnni', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16'],
  ...['amx_int8', 'amx_bf16', 'asimd', 'asimddp', 'i8mm', 'bf16', 'sve'],
];

export function thisProcessor(): Processor {
  return readProcessor(procCpuinfo(), cpus()[0].model, cpus().length);
}

/** From the text of /proc/cpuinfo, which may be empty. */
export function readProcessor(cpuinfo: string, name: string, cores: number): Processor {
  const field = (label: string) =>
    new RegExp(`^${label}\\s*:\\s*(.*)$`, 'mi').exec(cpuinfo)?.[1].trim();
  const [family, model] = ['cpu family', 'model'].map(label => field(label));
  const has = new Set((field('flags') ?? field('features') ?? '').split(/\s+/));
  return {
    name: field('model name') ?? name.trim(),
    ...(family !== undefined && { family: Number(family) }),
    ...(model !== undefined && { model: Number(model) }),
    cores,
    features: TELLING.filter(feature => has.has(feature)),
  };
}

/** `amd-epyc-family-25-model-17`: lower case, and the same for all machines with that processor. */
export function slugOf({ name, family, model }: Processor): string {
  const numbers = family === undefined ? '' : ` family ${family} model ${model ?? 'unknown'}`;
  return `${name.replace(/\((R|TM)\)|CPU|Processor|@.*$/gi, ' ')}${numbers}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

function procCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return ''; // not Linux
  }
}
