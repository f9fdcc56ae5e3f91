/** The runtime that this engine is in. */
import { node } from './node.js';
import type { Platform } from './platform.js';

export const platform: Platform = node;
