/** How full the context is: by the conversation, and by what is being written. */
import { formatInteger, formatTokens } from '../numbers/format.js';
import { byId, make } from './elements.js';

/** In tokens. */
export interface Fill {
  readonly used: number;
  readonly limit: number;
}

/** @param fill undefined if it is not known */
export function showFill(fill: Fill | undefined): void {
  const place = byId('context');
  place.replaceChildren(...(fill === undefined ? [] : partsOf(fill)));
  place.classList.toggle('wrong', fill !== undefined && isFull(fill));
}

const isFull = ({ used, limit }: Fill): boolean => used >= limit;

function partsOf(fill: Fill): readonly Node[] {
  const { used, limit } = fill;
  const meter = make('meter', {
    min: '0',
    max: String(limit),
    value: String(used),
    high: String(Math.floor(0.9 * limit)),
    'aria-label': 'Context in use',
  });
  const words = `${formatInteger(used)} of ${formatTokens(limit)}`;
  const whole = isFull(fill) ? `${words}: too long, nothing is cut off` : words;
  return [meter, make('span', {}, whole)];
}
