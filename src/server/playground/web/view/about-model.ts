/** Which model answers, in the header and in full. */
import type { ServedModel, Version } from '../api/answers.js';
import { formatCompact, formatTokens } from '../numbers/format.js';
import { byId, make } from './elements.js';

export function showModel({ id, meta }: ServedModel, about: Version): void {
  const facts: readonly (readonly [string, string])[] = [
    ['Model', id],
    ['Parameters', formatCompact(meta.n_params)],
    ['Context', formatTokens(meta.n_ctx)],
    ['Vocabulary', formatTokens(meta.n_vocab)],
    ['Kernels', about.kernels],
    ['Version', about.version],
    ['Fingerprint', about.system_fingerprint],
  ];
  byId('model').textContent = `${id} · ${formatTokens(meta.n_ctx)}`;
  document.title = `${id} · llama-32k`;
  byId('facts').replaceChildren(
    ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
  );
}
