/** POST /v1/trace: what the model computes on the way, for other implementations to compare. */
import { z } from 'zod';
import type { Tensor } from '../../base/tensor.js';
import { type SafetensorsInput, writeSafetensors } from '../../files/safetensors/writer.js';
import { readTokens } from '../../model/chunks.js';
import type { LlamaConfig } from '../../model/config.js';
import { JoinedTrace } from '../../model/joined-trace.js';
import { PAGE_POSITIONS } from '../../model/sequence.js';
import { selectTensors } from '../../model/trace.js';
import { aboutField } from '../errors/about-field.js';
import { ApiError } from '../errors/api-error.js';
import { type TraceRequest, traceRequest } from '../schemas/trace.js';
import { checkRoom } from '../texts/room.js';
import { checkModel } from '../texts/served.js';
import { checkTokenIds } from '../texts/token-ids.js';
import { endpoint } from './endpoint.js';
import { pulled } from './pulled.js';
import { checkSize } from './trace-size.js';

export const trace = endpoint<TraceRequest>({
  method: 'POST',
  path: '/v1/trace',
  summary: 'Intermediate tensors of a text, by name, as a safetensors file.',
  body: traceRequest,
  answers: { 'application/octet-stream': z.file() },
  async handle({ body, call, warnings }, { served }) {
    checkModel(served, body.model);
    const { model } = served;
    const { tokens } = body;
    checkTokenIds(tokens, model.config, 'tokens');
    checkRoom(tokens.length, 0, model.config.maxPositionEmbeddings, 'tokens');
    const names = namesOf(body, model.config);
    const positions = positionsOf(body);
    checkSize(model.config, names, tokens.length, positions.size);
    // No scheduler asks for this text's memory.
    served.prefixCache?.evict(Math.ceil(tokens.length / PAGE_POSITIONS));
    const joined = new JoinedTrace();
    const readings = readTokens(model, tokens, {
      wants: index => positions.has(index),
      trace: joined.trace,
      traceNames: names,
      signal: call.signal,
    });
    for await (const _ of readings); // what is wanted is told on the way
    const metadata = new Map([
      ['kernels', model.engine.name],
      ['tokens', JSON.stringify(tokens)],
      ['positions', JSON.stringify([...positions].sort((a, b) => a - b))],
      ['system_fingerprint', served.fingerprint],
      ...(warnings.length > 0 ? [['warnings', JSON.stringify(warnings)] as const] : []),
    ]);
    call.note({ promptTokens: tokens.length, completionTokens: 0, finishReasons: ['trace'] });
    return fileOf([...joined.tensors()].map(inputOf), metadata);
  },
});

function fileOf(
  tensors: readonly SafetensorsInput[],
  metadata: ReadonlyMap<string, string>,
): Response {
  const body = pulled(writeSafetensors(tensors, metadata));
  return new Response(body, { headers: { 'content-type': 'application/octet-stream' } });
}

/** As computed: F32 or F64. */
function inputOf([name, { shape, data }]: [string, Tensor]): SafetensorsInput {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dtype: data instanceof Float64Array ? 'F64' : 'F32', shape, chunks: [bytes] };
}

function namesOf({ names }: TraceRequest, config: LlamaConfig): string[] {
  const select = () => selectTensors(config, names ?? ['lm_head']);
  return aboutField({ param: 'names', code: 'invalid_value' }, select);
}

function positionsOf({ tokens, positions }: TraceRequest): Set<number> {
  if (positions == null) return new Set(tokens.keys());
  return new Set(
    positions.map((given, i) => {
      const position = given < 0 ? tokens.length + given : given;
      if (position >= 0 && position < tokens.length) return position;
      const message = `positions[${i}] is ${given}; there are ${tokens.length} tokens`;
      throw new ApiError(400, 'invalid_value', message, { param: `positions[${i}]` });
    }),
  );
}
