#!/usr/bin/env node
import { run } from './run.js';
/** The program `llama-32k`: what needs a process. The rest is in `run.ts`. */
import { EXIT } from './terminal/errors.js';
import type { Io } from './terminal/io.js';

/** SIGTERM is how a supervisor or a container says Ctrl-C. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
let isTerminated = false;

const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onInterrupt(listener) {
    const heed = (signal: NodeJS.Signals) => {
      isTerminated ||= signal === 'SIGTERM';
      listener();
    };
    for (const signal of SIGNALS) process.on(signal, heed);
    return () => {
      for (const signal of SIGNALS) process.off(signal, heed);
    };
  },
};

// Whoever reads the output may stop reading, as head does: that is no failure, but nothing is left
// to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  console.error(`llama-32k: cannot write the output: ${error.message}`);
  process.exit(EXIT.runtime);
});

// Nobody reads notes and errors, as after 2>&1 >file | head: the output is still wanted, and so is
// the exit code.
process.stderr.on('error', () => {});

// Not process.exit: what is written already must get out.
const code = await run(process.argv.slice(2), io);
process.exitCode = code === EXIT.interrupted && isTerminated ? EXIT.terminated : code;
