/** Numbers for Prometheus, under the names of docs/serving.md; each server has its own. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { PageCounts } from '../../model/engine.js';

/** Seconds: from a token of a small model to a prompt that is read for hours. */
const BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200,
  36000,
];

/** What is asked of others when somebody reads the numbers. */
export interface Gauges {
  running(): number;
  waiting(): number;
  /** Tokens of prompts that the prefix cache was asked for so far, and those that it had. */
  queriedTokens(): number;
  reusedTokens(): number;
  /** Not there if pages have no limit. */
  readonly pages: PageCounts | undefined;
}

export interface BuildInfo {
  readonly model: string;
  readonly version: string;
  readonly weights: string;
  readonly kernels: string;
  readonly numerics: string;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly promptTokens;
  readonly generationTokens;
  readonly proposedTokens;
  readonly acceptedTokens;
  readonly success;
  readonly errors;
  readonly timeToFirstToken;
  readonly interTokenLatency;
  readonly latency;
  readonly queueTime;
  readonly prefillTime;
  readonly decodeTime;

  constructor({ model, ...build }: BuildInfo, gauges: Gauges) {
    this.#registry.setDefaultLabels({ model });
    collectDefaultMetrics({ register: this.#registry });
    this.#gauge('requests_running', 'Texts that are being computed.', gauges.running);
    this.#gauge('requests_waiting', 'Texts that wait for their turn.', gauges.waiting);
    const { pages } = gauges;
    if (pages !== undefined) {
      this.#gauge(
        'kv_cache_usage_ratio',
        'Pages of keys and values in use, kept ones too, of all.',
        () => pages.inUse / pages.total,
      );
    }
    this.promptTokens = this.#counter('prompt_tokens_total', 'Tokens of prompts.');
    this.generationTokens = this.#counter('generation_tokens_total', 'Tokens of output.');
    this.#total(
      'prefix_cache_queries_total',
      'Tokens that the prefix cache was asked for.',
      gauges.queriedTokens,
    );
    this.#total('prefix_cache_hits_total', 'Those of them that it had.', gauges.reusedTokens);
    this.proposedTokens = this.#counter(
      'lookup_proposed_tokens_total',
      'Tokens computed ahead of their turn.',
    );
    this.acceptedTokens = this.#counter('lookup_accepted_tokens_total', 'Those of them that came.');
    this.success = this.#counter('request_success_total', 'Requests that were answered.', [
      'finished_reason',
    ]);
    this.errors = this.#counter('request_errors_total', 'Requests that were refused or failed.', [
      'code',
    ]);
    this.timeToFirstToken = this.#histogram(
      'time_to_first_token_seconds',
      'From the request to its first token.',
    );
    this.interTokenLatency = this.#histogram(
      'inter_token_latency_seconds',
      'From one token of a text to the next.',
    );
    this.latency = this.#histogram('e2e_request_latency_seconds', 'From the request to its end.');
    this.queueTime = this.#histogram('request_queue_time_seconds', 'Waiting for a turn.');
    this.prefillTime = this.#histogram('request_prefill_time_seconds', 'Reading a prompt.');
    this.decodeTime = this.#histogram('request_decode_time_seconds', 'Writing an output.');
    const labelNames = Object.keys(build);
    new Gauge({ ...this.#named('build_info', 'What runs: always 1.'), labelNames }).set(build, 1);
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #named(name: string, help: string) {
    return { name: `l32k_${name}`, help, registers: [this.#registry] };
  }

  #counter<Label extends string = never>(name: string, help: string, labelNames: Label[] = []) {
    return new Counter<Label>({ ...this.#named(name, help), labelNames });
  }

  #histogram(name: string, help: string) {
    return new Histogram({ ...this.#named(name, help), buckets: BUCKETS });
  }

  /** A counter that somebody else counts. */
  #total(name: string, help: string, read: () => number) {
    new Counter({
      ...this.#named(name, help),
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  #gauge(name: string, help: string, read: () => number) {
    new Gauge({
      ...this.#named(name, help),
      collect() {
        this.set(read());
      },
    });
  }
}
