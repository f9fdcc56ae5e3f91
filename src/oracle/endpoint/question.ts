/** What every way of asking is given. */
import type { AskOptions } from './asked.js';
import type { Connection } from './connection.js';
import type { Server } from './identify.js';

export interface Question extends Pick<AskOptions, 'signal' | 'onProgress' | 'tokenOf' | 'textOf'> {
  readonly connection: Connection;
  readonly server: Server;
  readonly tokens: readonly number[];
  /** Ascending; undefined if it does not matter which. */
  readonly positions: readonly number[] | undefined;
  readonly topLogprobs: number;
}
