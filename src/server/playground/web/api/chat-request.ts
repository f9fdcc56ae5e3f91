/** The body of POST /v1/chat/completions, as this page sends it. */
import type { FieldName } from '../settings/fields.js';

export interface RequestMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatRequest extends Partial<Record<FieldName, number>> {
  readonly model: string;
  readonly messages: readonly RequestMessage[];
  readonly stream: true;
  readonly stream_options: { readonly include_usage: true };
  readonly logprobs: true;
  readonly top_logprobs: number;
  readonly return_progress: true;
}
