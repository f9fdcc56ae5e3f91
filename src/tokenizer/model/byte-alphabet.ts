/**
 * How byte-level pieces write bytes: a character for each of the 256, so that a piece is a text
 * whatever bytes it stands for. GPT-2's (Radford et al. 2019, encoder.py, bytes_to_unicode): bytes
 * that print in Latin-1 are themselves, the others U+0100, U+0101, … in their order: "Ġ" is a
 * space, "Ċ" a newline.
 */

/** "!" to "~", "¡" to "¬", "®" to "ÿ". */
function prints(byte: number): boolean {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}

/** By byte: its character, as a UTF-16 unit. */
const UNITS = new Uint16Array(256);
/** By UTF-16 unit: its byte, −1 for characters that are none of the alphabet. */
const BYTES = new Int16Array(0x144).fill(-1);

for (let byte = 0, others = 0x100; byte < 256; byte++) {
  UNITS[byte] = prints(byte) ? byte : others++;
  BYTES[UNITS[byte]] = byte;
}

/** The character that byte-level pieces have for `byte`, 0 … 255. */
export function characterOfByte(byte: number): string {
  return String.fromCharCode(UNITS[byte]);
}

/** `bytes` as a byte-level piece has them. */
export function spellBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(UNITS[byte]);
  return text;
}

/** The bytes that `piece` stands for; undefined if it has a character that stands for none. */
export function spelledBytes(piece: string): Uint8Array | undefined {
  const bytes = new Uint8Array(piece.length);
  for (let i = 0; i < piece.length; i++) {
    const byte = BYTES[piece.charCodeAt(i)] ?? -1;
    if (byte === -1) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
