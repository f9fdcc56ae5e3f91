/** Which server answers at an address, by what it says of itself. */
import type { Connection } from './connection.js';
import { listAt, textAt } from './json-path.js';

export type Kind = 'llama.cpp' | 'llama-cpp-python' | 'vLLM' | 'llama-32k' | 'other';

export interface Server {
  readonly kind: Kind;
  /** `vLLM 0.11.0 at http://127.0.0.1:8000` */
  readonly engine: string;
  /** The one to ask for; undefined if the server does not say. */
  readonly modelName: string | undefined;
  readonly notes: readonly string[];
}

/** `owned_by` of the model, by those who have a way of their own. */
const OWNERS: Readonly<Record<string, Kind>> = {
  llamacpp: 'llama.cpp',
  me: 'llama-cpp-python',
  vllm: 'vLLM',
  'llama-32k': 'llama-32k',
};

export async function identify(connection: Connection, given?: string): Promise<Server> {
  const models = listAt(await connection.find('/v1/models'), 'data') ?? [];
  const ids = models.map(model => textAt(model, 'id')).filter(id => id !== undefined);
  const owner = textAt(models[0], 'owned_by') ?? '';
  const build = textAt(await connection.find('/props'), 'build_info');
  const kind = build === undefined ? (OWNERS[owner] ?? 'other') : 'llama.cpp';
  const version = build ?? textAt(await connection.find('/version'), 'version');
  const name = kind === 'other' ? 'a server' : kind;
  const notes = [];
  if (given === undefined && ids.length > 1)
    notes.push(`it serves ${ids.length} models; asked was the first, ${ids[0]}`);
  return {
    kind,
    engine: [name, version, 'at', connection.address].filter(part => part !== undefined).join(' '),
    modelName: given ?? ids[0],
    notes,
  };
}
