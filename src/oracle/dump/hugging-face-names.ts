/**
 * Names that forward hooks on Hugging Face's modules give: the modules' own are those of
 * `src/model/trace.ts`; some modules return what another one has computed.
 */
import type { Meaning } from './meaning.js';

/** `output`, and the first of several outputs. */
const OF_HOOKS = /(?:\.output)?(?:\.0)?$/;

const ONCE: ReadonlyMap<string, string> = new Map([
  ['input_ids', 'tokens'],
  ['logits', 'lm_head'],
  ['model', 'model.norm'],
]);

/** What another module's name stands for, by its end. */
const SAME_AS: readonly (readonly [end: RegExp, is: string])[] = [
  [/\.self_attn$/, '.self_attn.o_proj'],
  [/\.mlp$/, '.mlp.down_proj'],
  [/\.self_attn(?:\.output)?\.1$/, '.self_attn.probabilities'],
];

const LEFT_OUT: readonly (readonly [module: RegExp, why: string])[] = [
  [/\.mlp\.act_fn(?:\.|$)/, 'silu of the gate alone'],
  [/\.rotary_emb(?:\.|$)/, 'cosines and sines'],
];

/** Undefined if it is no such name; `isOurs` knows those of `src/model/trace.ts`. */
export function huggingFaceMeaning(
  name: string,
  isOurs: (name: string) => boolean,
): Meaning | undefined {
  const plain = name.replace(OF_HOOKS, '');
  const [, why] = LEFT_OUT.find(([module]) => module.test(name)) ?? [];
  if (why !== undefined) return { leftOut: why };
  const others = SAME_AS.map(([end, is]) => plain.replace(end, is));
  const is = [plain, ONCE.get(plain) ?? '', ...others].find(isOurs);
  return is === undefined ? undefined : { is };
}
