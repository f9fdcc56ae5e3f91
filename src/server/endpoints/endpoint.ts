/** What an endpoint is: an entry of the table that routes, OpenAPI and docs/api.md are made of. */
import type { z } from 'zod';
import type { Call } from '../observe/call.js';
import type { Metrics } from '../observe/metrics.js';
import type { Served } from '../texts/served.js';

/** What endpoints use of the server. */
export interface Services {
  readonly served: Served;
  readonly metrics: Metrics;
  readonly version: string;
  /** No new work is taken. */
  readonly isDraining: () => boolean;
}

export interface Endpoint<Body = unknown> {
  readonly method: 'GET' | 'POST';
  /** `:name` stands for one part. */
  readonly path: string;
  /** A sentence for the documentation. */
  readonly summary: string;
  /** What the request has, for those that have something. */
  readonly body?: z.ZodType<Body>;
  /** What is answered, by media type; of a stream it is an event. */
  readonly answers: Readonly<Record<string, z.ZodType>>;
  /** Needs no API key. */
  readonly isPublic?: boolean;
  /** Answered while draining, too. */
  readonly isWhileDraining?: boolean;
  handle(asked: Asked<Body>, services: Services): Promise<Response> | Response;
}

/** A request, checked. */
export interface Asked<Body> {
  readonly body: Body;
  /** What was asked for and has no effect, such as fields left out with --lenient: sentences. */
  readonly warnings: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  readonly call: Call;
}

/** The field of an answer that tells them, if there are any. */
export const warningsField = (warnings: readonly string[]) =>
  warnings.length > 0 ? { warnings } : {};

/** An entry of the table, whose body is of the schema's type. */
export const endpoint = <Body>(entry: Endpoint<Body>): Endpoint => entry as Endpoint;
