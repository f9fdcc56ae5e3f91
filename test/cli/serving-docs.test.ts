/** What docs/serving.md has people type, and set elsewhere: that the program takes it. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageFile } from '../../src/base/package.js';
import { parseOptions } from '../../src/cli/arguments/options.js';
import { VERBS } from '../../src/cli/verbs.js';
import { ENDPOINTS } from '../../src/server/endpoints/table.js';

const page = (await readFile(packageFile('docs/serving.md'), 'utf8')).replaceAll(/\\\n\s*/g, '');

/** The text between the fences of all blocks of a language. */
const blocks = (language: string): string =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))]
    .map(([, text]) => text)
    .join('\n');

/** What the program says to its arguments: nothing if it takes them. */
function optionsIn([name, ...args]: readonly string[]) {
  const verb = VERBS.find(each => each.name === name);
  if (verb === undefined) throw new Error(`there is no verb ${name}`);
  return parseOptions(verb, args);
}

const wordsOf = (command: string) => command.replace(/#.*/, '').trim().split(/\s+/);

describe('docs/serving.md', () => {
  it('has commands that the program takes', () => {
    const commands = [...blocks('sh').matchAll(/^npx llama-32k (.*)$/gm)].map(([, text]) => text);
    expect(commands.length).toBeGreaterThan(6);
    for (const command of commands) optionsIn(wordsOf(command));
  });

  it('has a unit of systemd that waits longer than the server drains', () => {
    const unit = blocks('ini');
    const setting = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)![1];
    const [program, ...args] = wordsOf(setting('ExecStart'));
    expect(program).toMatch(/\/llama-32k$/);
    const drains = Number(optionsIn(args).text('shutdown-timeout'));
    expect(Number(setting('TimeoutStopSec'))).toBeGreaterThan(drains);
    expect(setting('SuccessExitStatus')).toBe('143');
  });

  it('has YAML for Kubernetes that waits longer than the server drains', () => {
    const { spec } = parse(blocks('yaml'), { strict: true, uniqueKeys: true });
    const [container] = spec.containers;
    const drains = Number(optionsIn(container.args).text('shutdown-timeout'));
    const [command, seconds] = container.lifecycle.preStop.exec.command;
    expect(command).toBe('sleep');
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + drains);
    const asked = (probe: string) =>
      ENDPOINTS.find(({ path }) => path === container[probe].httpGet.path);
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
      expect(asked(probe)).toMatchObject({ method: 'GET', isPublic: true });
    expect(asked('livenessProbe')).toMatchObject({ isWhileDraining: true });
  });
});
