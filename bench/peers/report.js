import { figuresOf } from '../../dist/cli/measure/together.js';

/**
 * The table: a column for each side, and how many times the others' figure ours is. The last of
 * `peers` is ours.
 */
export function report(
  peers,
  { name, weightBytes, threads, prefill, decode, context, rounds, bandwidth },
) {
  const what = context > 0 ? `after ${context} tokens` : `prefill of ${prefill} tokens`;
  const others = peers.slice(0, -1);
  const perSecond = ({ measured }) => decode / median(measured, 'decode');
  const figures = (label, figure) => {
    const values = peers.map(figure);
    const ours = values[values.length - 1];
    const ratios = values.slice(0, -1).map(theirs => ours / theirs);
    console.log(line(label, [...values, ...ratios].map(fixed)));
  };

  console.log(`\n${name}, ${threads} threads, ${what}, decode of ${decode}, median of ${rounds}`);
  console.log(
    line('', [...peers.map(({ label }) => label), ...others.map(({ label }) => `÷ ${label}`)]),
  );
  if (context === 0)
    figures('prefill, tokens/s', ({ measured }) => prefill / median(measured, 'prefill'));
  else figures('filling, tokens/s (once)', ({ loaded }) => context / loaded.fill);
  figures('decode, tokens/s', perSecond);
  figures('weights, GB/s', peer => (perSecond(peer) * weightBytes) / 1e9);
  figures('… of the bandwidth, %', peer => (perSecond(peer) * weightBytes * 100) / bandwidth);
  figures('loading, s', ({ loaded }) => loaded.seconds);
  figures(
    'peak memory, GB',
    ({ measured }) => Math.max(...measured.map(({ peakBytes }) => peakBytes)) / 1e9,
  );
}

/**
 * Ours beside native llama.cpp, for the file of this processor; undefined where that was not
 * measured. `peers` as in `report`.
 */
export function comparisonOf(peers, { weightBytes, threads, prefill, decode }) {
  const ours = peers.at(-1);
  const theirs = peers.find(({ label }) => label === 'llama.cpp');
  if (theirs === undefined) return undefined;
  const prefillOf = ({ measured }) => prefill / median(measured, 'prefill');
  const decodeOf = ({ measured }) => decode / median(measured, 'decode');
  return {
    ...{ threads, promptTokens: prefill },
    ...{ decode: decodeOf(ours), decodeRatio: decodeOf(ours) / decodeOf(theirs) },
    ...{ prefill: prefillOf(ours), prefillRatio: prefillOf(ours) / prefillOf(theirs) },
    weightsRead: (decodeOf(ours) * weightBytes) / 1e9,
    peakMemory: Math.max(...ours.measured.map(({ peakBytes }) => peakBytes)) / 1e9,
  };
}

/**
 * A row for each number of users: tokens/s of all their texts, from when the last of them had its
 * first. `kept` is what is left of the ratio that the first number of users has. `peers` as in
 * `report`. Returns the rows.
 */
export function reportTogether(peers, { name, threads, users, prefill, decode, rounds }) {
  const others = peers.slice(0, -1).map(({ label }) => label);
  console.log(
    `\n${name}, ${threads} threads, prompts of ${prefill} tokens, ${decode} written after each, ` +
      `tokens/s of all, median of ${rounds}`,
  );
  const ratios = others.flatMap(label => [`÷ ${label}`, 'kept']);
  console.log(line('users', [...peers.map(({ label }) => label), ...ratios, 'between two, ms']));
  let first;
  return users.map((count, i) => {
    const rows = peers.map(({ measured }) => measured.map(({ times }) => figuresOf(times[i])));
    const rates = rows.map(row => median(row, 'decode_tokens_per_second'));
    const own = rates.at(-1);
    const against = rates.slice(0, -1).map(theirs => own / theirs);
    first ??= against;
    const pairs = against.flatMap((ratio, peer) => [ratio, ratio / first[peer]]);
    const gap = 1000 * median(rows.at(-1), 'p50_seconds');
    console.log(line(`${count}`, [...rates, ...pairs, gap].map(fixed)));
    const tokensPerSecond = Object.fromEntries(peers.map(({ label }, p) => [label, rates[p]]));
    return { users: count, tokensPerSecond, betweenTokensMs: gap };
  });
}

function line(name, columns) {
  return name.padEnd(26) + columns.map(text => text.padStart(13)).join('');
}

function fixed(x) {
  return Number.isFinite(x) ? x.toFixed(2) : '–';
}

function median(results, key) {
  const sorted = results.map(result => result[key]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
