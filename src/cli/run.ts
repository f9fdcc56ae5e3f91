/** The command line, without a process: arguments and streams in, exit code out. */
import { hasCode, LlamaError, show } from '../base/errors.js';
import { packageVersion } from '../load/version.js';
import { aboutFlags } from './arguments/flags.js';
import { mainHelp, verbHelp } from './arguments/help.js';
import { optionsOf, parseOptions, type Verb } from './arguments/options.js';
import { EXIT, report } from './terminal/errors.js';
import { type Io, style, write } from './terminal/io.js';
import { VERBS } from './verbs.js';

export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    await dispatch(args, io);
    return EXIT.ok;
  } catch (error) {
    return report(error, io, args.includes('--json'));
  }
}

const HELP = ['--help', '-h', 'help'];

async function dispatch([name, ...args]: readonly string[], io: Io): Promise<void> {
  const { bold } = style(io.stdout, io);
  if (name === 'help' && args.length > 0) return dispatch([args[0], '--help'], io);
  if (name === undefined || HELP.includes(name)) return write(io.stdout, mainHelp(VERBS, bold));
  if (name === '--version') return write(io.stdout, `${await packageVersion()}\n`);
  const verb = verbCalled(name);
  try {
    const options = parseOptions(verb, args);
    if (options.flag('help')) return await write(io.stdout, verbHelp(verb, bold));
    await verb.run(options, io);
  } catch (thrown) {
    const error = aboutFlags(thrown, optionsOf(verb));
    if (!hasCode(error, 'BAD_OPTION')) throw error;
    throw new LlamaError('BAD_OPTION', `${error.message}; see llama-32k ${verb.name} --help`, {
      cause: error,
      option: error.option,
    });
  }
}

function verbCalled(name: string): Verb {
  const verb = VERBS.find(each => each.name === name);
  if (verb !== undefined) return verb;
  const hint = name.startsWith('-') ? 'the verb comes first' : 'see llama-32k --help';
  throw new LlamaError(
    'BAD_OPTION',
    `${show(name)} is not a verb; there is: ${VERBS.map(each => each.name).join(', ')}; ${hint}`,
  );
}
