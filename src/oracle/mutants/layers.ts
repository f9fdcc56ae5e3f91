/** Bugs of the order and number of layers. */
import type { Setup } from '../run/setup.js';
import { changeLayers, changeWeights, zeros } from './changes.js';
import { each, type Mutant, one, when } from './mutant.js';

type Order = readonly number[];

const inOrder = (setup: Setup, order: Order): Setup =>
  changeWeights(setup, weights => ({ layer: index => weights.layer(order[index]) }));

const hasOneLayer = when(({ numHiddenLayers }) => numHiddenLayers === 1, 'there is one layer');

const ORDERS: readonly {
  readonly what: string;
  /** With fewer it is the right order, or the first one. */
  readonly fromLayers: number;
  readonly of: (layers: Order) => Order;
}[] = [
  { what: 'reversed', fromLayers: 1, of: layers => layers.toReversed() },
  {
    what: 'first two exchanged',
    fromLayers: 3,
    of: ([first, second, ...rest]) => [second, first, ...rest],
  },
  {
    what: 'names sorted as strings',
    fromLayers: 11,
    of: layers => layers.map(String).sort().map(Number),
  },
];

export const LAYERS: readonly Mutant[] = [
  {
    id: 'layers.order',
    name: 'Layers: in another order',
    explains:
      'Layers are run in the order in which a file or a sorted list has their names: "10" comes ' +
      'before "2". Shapes are all the same, so that nothing complains.',
    fix: 'Take the number out of the name, and sort by it as a number.',
    references: [
      'https://github.com/b4rtaz/distributed-llama/pull/52',
      'https://github.com/CalculatedContent/WeightWatcher/issues/312',
    ],
    equivalent: hasOneLayer,
    variants: ({ numHiddenLayers }) =>
      each(
        ORDERS.filter(({ fromLayers }) => numHiddenLayers >= fromLayers),
        ({ what }) => what,
        (setup, { of }) => inOrder(setup, of([...Array(setup.config.numHiddenLayers).keys()])),
      ),
  },
  {
    id: 'layers.last-missing',
    name: 'Layers: the last one is missing',
    explains:
      'The stream goes to the final norm one layer too early. Texts stay plausible. A control.',
    fix:
      'Run num_hidden_layers of them; in llama.cpp llama.block_count. In lists of hidden states ' +
      'the first is the embedding.',
    references: [],
    // a layer that adds nothing, so that all tensors of a trace are there
    variants: one(setup =>
      changeLayers(setup, ({ oProj, downProj }, layer) =>
        layer === setup.config.numHiddenLayers - 1
          ? { oProj: zeros(oProj), downProj: zeros(downProj) }
          : {},
      ),
    ),
  },
  {
    id: 'layers.repeated',
    name: 'Layers: all have the weights of the first',
    explains:
      'Each layer computes with the weights of layer 0: a list of references to one object, or ' +
      'an offset that is not advanced. A control.',
    fix: 'Make a layer for each number, and add its offset to those of its weights.',
    references: [],
    equivalent: hasOneLayer,
    variants: one(setup => changeWeights(setup, weights => ({ layer: () => weights.layer(0) }))),
  },
];
