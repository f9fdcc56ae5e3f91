/** Text to token ids and back, and a conversation as its prompt: nothing is computed. */
import { encodePrompt } from '../../text/prompt.js';
import { detokenized, templateApplied, tokenized } from '../schemas/answers/tokens.js';
import {
  type ApplyTemplateRequest,
  applyTemplateRequest,
  type DetokenizeRequest,
  detokenizeRequest,
  type TokenizeRequest,
  tokenizeRequest,
} from '../schemas/tokens.js';
import { encodeMessages, notToldOf, textOfPrompt } from '../texts/conversation.js';
import { checkModel, type Served } from '../texts/served.js';
import { tokenText } from '../texts/tokens.js';
import { endpoint, warningsField } from './endpoint.js';

export const tokenize = endpoint<TokenizeRequest>({
  method: 'POST',
  path: '/tokenize',
  summary: 'A text, or a conversation, as token ids.',
  body: tokenizeRequest,
  answers: { 'application/json': tokenized },
  handle: ({ body, warnings }, { served }) => {
    checkModel(served, body.model);
    const ids = idsOf(body, served);
    const pieces = () => ids.map(id => tokenText(served.tokenizer, id));
    return Response.json({
      tokens: body.with_pieces ? pieces().map((piece, i) => ({ id: ids[i], piece })) : ids,
      ...(body.return_token_strs && { token_strs: pieces() }),
      count: ids.length,
      max_model_len: served.model.config.maxPositionEmbeddings,
      ...warningsField([...warnings, ...notToldOf(body.messages ?? [])]),
    });
  },
});

function idsOf(body: TokenizeRequest, served: Served): readonly number[] {
  if (body.messages != null) return encodeMessages(served, body.messages);
  const isVllm = body.prompt != null;
  const bos = isVllm ? (body.add_special_tokens ?? true) : (body.add_special ?? false);
  const text = (isVllm ? body.prompt : body.content) ?? '';
  const special = body.parse_special ?? true;
  return bos
    ? encodePrompt(served.tokenizer, text, { special })
    : served.tokenizer.encode(text, { special });
}

export const detokenize = endpoint<DetokenizeRequest>({
  method: 'POST',
  path: '/detokenize',
  summary: 'The text of token ids: as content, and as prompt.',
  body: detokenizeRequest,
  answers: { 'application/json': detokenized },
  handle: ({ body, warnings }, { served }) => {
    checkModel(served, body.model);
    const text = served.tokenizer.decode(body.tokens);
    return Response.json({ content: text, prompt: text, ...warningsField(warnings) });
  },
});

export const applyTemplate = endpoint<ApplyTemplateRequest>({
  method: 'POST',
  path: '/apply-template',
  summary: 'A conversation as the prompt that the model reads: its text, and its token ids.',
  body: applyTemplateRequest,
  answers: { 'application/json': templateApplied },
  handle: ({ body, warnings }, { served }) => {
    checkModel(served, body.model);
    const tokens = encodeMessages(served, body.messages);
    return Response.json({
      prompt: textOfPrompt(tokens, served),
      tokens,
      ...warningsField([...warnings, ...notToldOf(body.messages)]),
    });
  },
});
