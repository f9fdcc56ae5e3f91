/** The functions of a compiled module, as binaryen reads them. */
import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';

export interface ModuleFunction {
  /** In WebAssembly's text format. */
  readonly text: string;
  /** By which names it is exported. */
  readonly exports: readonly string[];
  /** Indices of the functions that it calls. */
  readonly calls: readonly number[];
}

/** By index; the modules import no functions. */
export function readFunctions(path: URL): ModuleFunction[] {
  const module = binaryen.readBinaryWithFeatures(readFileSync(path), binaryen.Features.All);
  const text = module.emitText();
  module.dispose();
  const bodies = [...text.matchAll(/^ \(func (\$\S+)[\s\S]*?^ \)$/gm)];
  const indices = new Map(bodies.map(([, id], index) => [id, index]));
  return bodies.map(([body, id]) => ({
    text: body,
    exports: [...text.matchAll(/\(export "(\w+)" \(func (\$[^)]+)\)/g)]
      .filter(([, , exported]) => exported === id)
      .map(([, name]) => name),
    calls: [...body.matchAll(/\(call (\$\S+)/g)].map(([, callee]) => indices.get(callee)!),
  }));
}

/** The index of an exported function and those that it calls, and those that they call. */
export function indicesFrom(functions: readonly ModuleFunction[], name: string): number[] {
  const start = functions.findIndex(({ exports }) => exports.includes(name));
  const wanted = new Set(start === -1 ? [] : [start]);
  for (const index of wanted) for (const callee of functions[index].calls) wanted.add(callee);
  return [...wanted];
}
