/** The body of a request: counted while it comes in, and read as JSON. */
import { show } from '../../base/errors.js';
import { parseJson } from '../../base/json.js';
import { aboutField } from '../errors/about-field.js';
import { ApiError } from '../errors/api-error.js';

/**
 * @param maxBytes more are refused as soon as they are announced or have come, and not kept
 * @throws {ApiError} 400, 413, 415
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  checkContentType(request.headers.get('content-type'));
  const text = await readText(request, maxBytes);
  return aboutField({ code: 'invalid_json' }, () => parseJson(text, 'the body', 'BAD_INPUT'));
}

/**
 * A page of another site can post text/plain and forms, or no type at all, without asking; not
 * JSON.
 */
function checkContentType(type: string | null): void {
  const [media, ...parameters] = (type ?? '').toLowerCase().split(';');
  const charset = parameters.map(text => text.trim()).find(text => text.startsWith('charset='));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (media.trim() === 'application/json' && isUtf8) return;
  const found = type === null ? 'there is no content-type' : `the content-type is ${show(type)}`;
  const message = `${found}; send JSON in UTF-8, and content-type: application/json`;
  throw new ApiError(415, 'unsupported_media_type', message);
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge(maxBytes);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const isEncoding = error instanceof TypeError && 'code' in error;
    const what = isEncoding ? 'the body is not UTF-8' : 'the body did not come to its end';
    throw new ApiError(400, isEncoding ? 'invalid_json' : 'incomplete_body', what, {
      cause: error,
    });
  }
}

const tooLarge = (maxBytes: number) =>
  new ApiError(
    413,
    'body_too_large',
    `the body is larger than ${maxBytes} bytes, the limit of this server (--max-body)`,
    { extra: { max_bytes: maxBytes } },
  );
