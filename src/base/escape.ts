/**
 * Control characters are shown, not obeyed: a model may write any byte, also those that clear the
 * screen or retitle the window; so may who named a tensor or a file.
 */

/**
 * `text` for `stream`: as it is, but on a terminal with control characters shown, except newlines
 * and tabs.
 */
export const escapeFor = (stream: { readonly isTTY?: boolean }, text: string): string =>
  stream.isTTY ? replaceByPictures(text, /(?![\n\t])\p{Cc}/gu) : text;

/**
 * `text` on one line, for messages, with control characters shown: what reads them may be a
 * terminal later.
 */
export const escapeControls = (text: string): string => replaceByPictures(text, /\p{Cc}/gu);

function replaceByPictures(text: string, controls: RegExp): string {
  return text.replace(controls, control => {
    const code = control.charCodeAt(0);
    // U+2400 … are pictures of U+0000 …
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
  });
}
