/** The colours that terminals have for text, or none. */
export function colours(inColour: boolean) {
  const paint = (code: number) => (text: string) =>
    inColour ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    bold: paint(1),
    red: paint(31),
    green: paint(32),
    yellow: paint(33),
    cyan: paint(36),
  };
}
