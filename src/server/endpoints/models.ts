/** The model that is served, as a list and by its name. */
import { elementCount } from '../../base/tensor.js';
import type { LlamaConfig } from '../../model/config.js';
import { expectedWeights } from '../../model/weights.js';
import { modelEntry, modelList } from '../schemas/answers/about.js';
import { checkModel, type Served } from '../texts/served.js';
import { endpoint } from './endpoint.js';

export const models = endpoint({
  method: 'GET',
  path: '/v1/models',
  summary: 'The model that is served, under its id and its aliases.',
  answers: { 'application/json': modelList },
  handle: (_, { served }) =>
    Response.json({ object: 'list', data: [served.id, ...served.aliases].map(describe(served)) }),
});

export const oneModel = endpoint({
  method: 'GET',
  path: '/v1/models/:model{.+}',
  summary: 'The model by its id or an alias.',
  answers: { 'application/json': modelEntry },
  handle: ({ params }, { served }) => {
    checkModel(served, params.model);
    return Response.json(describe(served)(params.model));
  },
});

/** `meta` as llama.cpp has it. */
const describe =
  ({ created, model }: Served) =>
  (id: string) => ({
    id,
    object: 'model',
    created,
    owned_by: 'llama-32k',
    meta: {
      n_vocab: model.config.vocabSize,
      n_ctx: model.config.maxPositionEmbeddings,
      ...(!model.config.isLimitRaised && { n_ctx_train: model.config.maxPositionEmbeddings }),
      n_embd: model.config.hiddenSize,
      n_layer: model.config.numHiddenLayers,
      n_params: parameterCount(model.config),
      size: model.engine.weightBytes,
    },
  });

const parameterCount = (config: LlamaConfig): number =>
  [...expectedWeights(config).values()].reduce((sum, shape) => sum + elementCount(shape), 0);
