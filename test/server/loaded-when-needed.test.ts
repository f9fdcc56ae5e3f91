/** The packages of the server are loaded by `serve`, and by nothing else. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const dist = (file: string) => fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));
const PACKAGES = ['@hono/node-server', 'hono', 'pino', 'prom-client', 'zod'];

/** Tells stderr of every module that is asked for. */
const HOOKS = `
  export async function resolve(specifier, context, next) {
    process._rawDebug('asked for ' + specifier);
    return next(specifier, context);
  }`;
const REGISTER = `
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOKS)}));`;

function loadedBy(...args: string[]): string[] {
  const hooks = `data:text/javascript,${encodeURIComponent(REGISTER)}`;
  const { stderr } = spawnSync(process.execPath, ['--import', hooks, ...args], {
    encoding: 'utf8',
  });
  const asked = [...stderr.matchAll(/^asked for (.*)$/gm)].map(([, specifier]) => specifier);
  expect(asked.length).toBeGreaterThan(20);
  return PACKAGES.filter(name => asked.some(each => each === name || each.startsWith(`${name}/`)));
}

const importing = (file: string) => [
  '--input-type=module',
  '-e',
  `await import('${pathToFileURL(dist(file))}')`,
];

it('the library loads none of them', () => {
  expect(loadedBy(...importing('index.js'))).toEqual([]);
});

it.each([['--help'], ['serve', '--help'], ['tokenize', 'hello'], ['generate', '--prompt', 'Hi']])(
  'llama-32k %s %s loads none of them',
  (...args) => {
    expect(loadedBy(dist('cli/main.js'), ...args)).toEqual([]);
  },
);

it('llama-32k/server loads all of them', () => {
  expect(loadedBy(...importing('server/index.js'))).toEqual(PACKAGES);
});
