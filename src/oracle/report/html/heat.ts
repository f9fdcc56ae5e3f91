/** The scale of the heat map: how far error / budget is, in steps that a colour has. */
import { isBeyond } from '../words/tensors.js';

export interface HeatStep {
  /** Of the styles, where its colours are. */
  readonly name: string;
  /** Up to this ratio. */
  readonly to: number;
  readonly legend: string;
}

/** Logarithmic: what is within the budget, then what is beyond it. */
export const HEAT: readonly HeatStep[] = [
  { name: 'within-1', to: 0.1, legend: '0.1' },
  { name: 'within-2', to: 0.3, legend: '0.3' },
  { name: 'within-3', to: 1, legend: '1' },
  { name: 'beyond-1', to: 3, legend: '3' },
  { name: 'beyond-2', to: 10, legend: '10' },
  { name: 'beyond-3', to: 100, legend: '100' },
  { name: 'beyond-4', to: 1000, legend: '1,000' },
  { name: 'beyond-5', to: 10_000, legend: '10,000' },
  { name: 'beyond-6', to: 100_000, legend: '100,000' },
  { name: 'beyond-7', to: Number.MAX_VALUE, legend: 'more' },
];

/** What has no place on the scale. */
export const NOT_FINITE: HeatStep = { name: 'not-finite', to: Infinity, legend: '∞, NaN' };

export function heatOf(ratio: number): HeatStep {
  return HEAT.find(({ to }) => ratio <= to) ?? NOT_FINITE;
}

export const isHot = ({ to }: HeatStep): boolean => isBeyond(to);
