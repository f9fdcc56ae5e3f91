/** Bugs of the residual stream. */
import type { Tensor } from '../../base/tensor.js';
import type { Setup } from '../run/setup.js';
import { changeKernels, copyOf, zeros } from './changes.js';
import { type Mutant, one } from './mutant.js';

/** What a sublayer gives replaces the stream instead of being added to it. */
const replaceBy = (setup: Setup, sublayer: 'attention' | 'mlp'): Setup =>
  changeKernels(setup, (kernels, now) => ({
    add(out, x, y) {
      const isIt = now.isAttention === (sublayer === 'attention');
      kernels.add(out, isIt ? zeros(x) : x, y);
    },
  }));

/** The stream goes on from what the norm gave. */
const addToNormed = (setup: Setup): Setup =>
  changeKernels(setup, (kernels, now) => ({
    rmsnorm(out, x, weight, eps) {
      kernels.rmsnorm(out, x, weight, eps);
      if (now.norm !== 'final') x.data.set(out.data);
    },
  }));

function computeInParallel(setup: Setup): Setup {
  let input: Tensor;
  return changeKernels(setup, (kernels, now) => ({
    rmsnorm(out, x, weight, eps) {
      if (now.norm === 'input') input = copyOf(x);
      kernels.rmsnorm(out, now.norm === 'postAttention' ? input : x, weight, eps);
    },
  }));
}

export const RESIDUAL: readonly Mutant[] = [
  {
    id: 'residual.attention-missing',
    name: 'Residual: not around attention',
    explains: 'x ← attention(norm(x)) for x + attention(norm(x)): tokens forget what they were.',
    fix: 'Add what came into the block to the output of o_proj.',
    references: ['https://github.com/kyegomez/BitNet/issues/32'],
    variants: one(setup => replaceBy(setup, 'attention')),
  },
  {
    id: 'residual.mlp-missing',
    name: 'Residual: not around the MLP',
    explains: 'x ← mlp(norm(x)) for x + mlp(norm(x)). A control.',
    fix: 'Add what came out of attention and its residual to the output of down_proj.',
    references: [],
    variants: one(setup => replaceBy(setup, 'mlp')),
  },
  {
    id: 'residual.after-norm',
    name: 'Residual: taken after the norm',
    explains:
      'x ← norm(x) + sublayer(norm(x)) for x + sublayer(norm(x)): the variable was overwritten ' +
      'before it was added.',
    fix: 'Keep x from before input_layernorm and from before post_attention_layernorm.',
    references: [
      'https://github.com/Howuhh/faster-trajectory-transformer/issues/3',
      'https://github.com/lbcb-sci/RiNALMo/issues/9',
    ],
    variants: one(addToNormed),
  },
  {
    id: 'residual.parallel',
    name: 'Residual: attention and MLP in parallel',
    explains:
      'The MLP gets the input of the block instead of what attention made of it, as in GPT-J and ' +
      'GPT-NeoX. A control.',
    fix: 'Normalise x after attention was added: use_parallel_residual is false.',
    references: [],
    variants: one(computeInParallel),
  },
];
