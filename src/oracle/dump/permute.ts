/** Axes in another order. */
import { type Floats, zerosLike } from '../../base/tensor.js';

/**
 * A copy of row-major `data` with the axes in another order: axis i of what is returned is axis
 * `axes[i]` of `shape`.
 */
export function permuteAxes(
  data: Floats,
  shape: readonly number[],
  axes: readonly number[],
): Floats {
  const steps = stepsOf(shape);
  const along = axes.map(axis => ({ size: shape[axis], step: steps[axis], index: 0 }));
  along.reverse(); // the axis that moves fastest first
  const out = zerosLike(data, data.length);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from];
    for (const axis of along) {
      from += axis.step;
      axis.index++;
      if (axis.index < axis.size) break;
      from -= axis.size * axis.step;
      axis.index = 0;
    }
  }
  return out;
}

/** How far apart two neighbours are along each axis. */
function stepsOf(shape: readonly number[]): number[] {
  const steps = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    steps[axis] = steps[axis + 1] * shape[axis + 1];
  return steps;
}
