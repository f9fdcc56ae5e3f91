/** Bugs of the gated feed-forward network. */
import type { Tensor } from '../../base/tensor.js';
import type { Setup } from '../run/setup.js';
import { changeKernels, mapTensor } from './changes.js';
import { erf, sigmoid, tanh } from './functions.js';
import { each, type Mutant, one } from './mutant.js';

/** Instead of silu(gate) · up. */
const gateBy = (setup: Setup, gated: (gate: number, up: number) => number): Setup =>
  changeKernels(setup, () => ({
    swiglu(out, gate, up) {
      for (let i = 0; i < out.data.length; i++) out.data[i] = gated(gate.data[i], up.data[i]);
    },
  }));

/** silu(gate) · up, of others. */
const changeGated = (
  setup: Setup,
  change: (gate: Tensor, up: Tensor) => { readonly gate: Tensor; readonly up: Tensor },
): Setup =>
  changeKernels(setup, kernels => ({
    swiglu(out, gate, up) {
      const changed = change(gate, up);
      kernels.swiglu(out, changed.gate, changed.up);
    },
  }));

const ones = (tensor: Tensor): Tensor => mapTensor(tensor, () => 1);

const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));
const geluTanh = (x: number): number =>
  (x / 2) * (1 + tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const relu = (x: number): number => Math.max(x, 0);

export const MLP: readonly Mutant[] = [
  {
    id: 'mlp.activation',
    name: 'MLP: another activation',
    explains: 'The gate goes through GELU or ReLU instead of SiLU.',
    fix: 'Make the engine read hidden_act, which is silu, also called swish.',
    references: ['https://github.com/google-research/timesfm/issues/493'],
    variants: () =>
      each(
        [
          ['gelu', gelu],
          ['gelu-tanh', geluTanh],
          ['relu', relu],
        ] as const,
        ([name]) => name,
        (setup, [, activation]) => gateBy(setup, (gate, up) => activation(gate) * up),
      ),
  },
  {
    id: 'mlp.silu-without-x',
    name: 'MLP: sigmoid instead of SiLU',
    explains: 'σ(gate)·up for gate·σ(gate)·up: the gate of GLU, not of SwiGLU. A control.',
    fix: 'Multiply the sigmoid with its argument: silu(x) = x·σ(x).',
    references: [],
    variants: one(setup => gateBy(setup, (gate, up) => sigmoid(gate) * up)),
  },
  {
    id: 'mlp.gate-up-swapped',
    name: 'MLP: gate and up exchanged',
    explains:
      'silu(up)·gate for silu(gate)·up. The output has the right size and texts are plausible ' +
      'and wrong.',
    fix:
      'Check the order of the halves where gate_proj and up_proj are one matrix (gate_up_proj, ' +
      'w13), and the names w1 = gate, w3 = up, w2 = down.',
    references: [
      'https://github.com/ml-explore/mlx-lm/pull/767',
      'https://github.com/huggingface/diffusers/issues/14410',
    ],
    variants: one(setup => changeGated(setup, (gate, up) => ({ gate: up, up: gate }))),
  },
  {
    id: 'mlp.silu-of-product',
    name: 'MLP: SiLU of the product',
    explains: 'silu(gate·up) for silu(gate)·up: a parenthesis in the wrong place.',
    fix: 'Write silu(gate(x)) * up(x).',
    references: ['https://github.com/Nijikadesu/breakdown-minimind/issues/3'],
    variants: one(setup =>
      changeGated(setup, (gate, up) => ({
        gate: mapTensor(gate, (x, i) => x * up.data[i]),
        up: ones(up),
      })),
    ),
  },
  {
    id: 'mlp.up-ignored',
    name: 'MLP: up is ignored',
    explains: 'silu(gate) for silu(gate)·up: a plain network without a gate. A control.',
    fix: 'Multiply with up_proj before down_proj.',
    references: [],
    variants: one(setup => changeGated(setup, (gate, up) => ({ gate, up: ones(up) }))),
  },
];
