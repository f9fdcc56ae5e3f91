/**
 * The x64 code that V8's optimizing compiler makes of a module, read from what `--print-wasm-code`
 * prints.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Instruction {
  /** Bytes from the beginning of the function. */
  readonly at: number;
  /** As V8's disassembler writes it: `vmulps ymm0,ymm1,ymm2`. */
  readonly text: string;
}

export type Code = readonly Instruction[];

/** Everything is compiled at once, by the optimizing compiler, on one thread, and printed. */
const PRINTING = ['--no-liftoff', '--no-wasm-lazy-compilation', '--single-threaded'];
const COMPILE =
  'new WebAssembly.Module(new Uint8Array(require("node:fs").readFileSync(process.argv[1])))';

/** The code of every function of `module`, by its index, as `node` compiles it. */
export function compileCode(
  node: string,
  module: URL,
  flags: readonly string[],
): Map<number, Code> {
  const printed = execFileSync(
    node,
    [...PRINTING, ...flags, '--print-wasm-code', '--eval', COMPILE, fileURLToPath(module)],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  return new Map(
    printed
      .split('--- WebAssembly code ---')
      .filter(part => part.includes('kind: wasm function\n'))
      .map(part => [Number(/^index: (\d+)$/m.exec(part)![1]), readInstructions(part)]),
  );
}

function readInstructions(part: string): Instruction[] {
  return [...part.matchAll(/^0x[0-9a-f]+ +([0-9a-f]+) {2}[0-9a-f]+ +(.+?) *$/gm)].map(
    ([, at, text]) => ({ at: Number.parseInt(at, 16), text }),
  );
}

/** Instructions that are always run one after the other, and where control goes from there. */
interface Block {
  readonly code: Code;
  readonly next: readonly number[];
}

/** The loops of a function that have no other loop inside. */
export function innermostLoops(code: Code): Code[] {
  const blocks = blocksOf(code);
  const loops = loopsOf(blocks);
  return [...loops]
    .filter(([header, body]) => [...body].every(at => at === header || !loops.has(at)))
    .map(([, body]) => [...body].flatMap(at => blocks.get(at)!.code));
}

function blocksOf(code: Code): Map<number, Block> {
  const jumps = code.filter(({ text }) => isJump(text));
  const afterJumps = code.filter((_, i) => i === 0 || endsBlock(code[i - 1].text));
  const starts = new Set([...jumps.flatMap(targetsOf), ...afterJumps.map(({ at }) => at)]);
  const blocks = new Map<number, Block>();
  for (let begin = 0, end = 1; begin < code.length; begin = end, end++) {
    while (end < code.length && !starts.has(code[end].at)) end++;
    const last = code[end - 1];
    const goesOn = !/^(jmp|ret|int3|ud2)/.test(last.text) && end < code.length;
    const next = [...targetsOf(last), ...(goesOn ? [code[end].at] : [])];
    blocks.set(code[begin].at, { code: code.slice(begin, end), next });
  }
  return blocks;
}

const isJump = (text: string) => /^j[a-z]+ /.test(text);
const endsBlock = (text: string) => isJump(text) || /^(ret|int3|ud2)/.test(text);

function targetsOf({ text }: Instruction): number[] {
  const target = isJump(text) ? /<\+0x([0-9a-f]+)>$/.exec(text) : null;
  return target === null ? [] : [Number.parseInt(target[1], 16)];
}

/**
 * The natural loops, by where they begin: a block from which control goes back to one on the way
 * to it, and all from which that is reached without passing the beginning. (Aho, Lam, Sethi,
 * Ullman, Compilers, 2nd edition, section 9.6.6.) WebAssembly has no other loops.
 */
function loopsOf(blocks: ReadonlyMap<number, Block>): Map<number, Set<number>> {
  const before = new Map<number, number[]>();
  for (const [at, { next }] of blocks) {
    for (const to of next) before.set(to, [...(before.get(to) ?? []), at]);
  }
  const loops = new Map<number, Set<number>>();
  for (const [from, header] of backEdges(blocks)) {
    const body = loops.get(header) ?? new Set([header]);
    loops.set(header, body);
    const waiting = [from];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (body.has(at)) continue;
      body.add(at);
      waiting.push(...(before.get(at) ?? []));
    }
  }
  return loops;
}

function backEdges(blocks: ReadonlyMap<number, Block>): [from: number, to: number][] {
  const edges: [number, number][] = [];
  const seen = new Set<number>();
  const onTheWay = new Set<number>();
  const visit = (at: number) => {
    seen.add(at);
    onTheWay.add(at);
    for (const to of blocks.get(at)?.next ?? []) {
      if (onTheWay.has(to)) edges.push([at, to]);
      else if (!seen.has(to)) visit(to);
    }
    onTheWay.delete(at);
  };
  visit(0);
  return edges;
}
