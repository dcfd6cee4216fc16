/**
 * How likely a sequential test has found something by the planned end, and how early: a Brownian motion with drift that
 * is looked at so many times, equally far apart (Armitage, McPherson and Rowe, Repeated Significance Tests on
 * Accumulating Data, 1969). What follows is integrated look by look on a grid, not drawn.
 */
import { upperTail } from '../metrics/normal.ts';
import { boundary, tightestInformation } from './sequential.ts';

export interface Crossing {
  /** That the boundary is crossed at one of the looks, to either side. */
  readonly probability: number;
  /** Part of the planned time that passes on average, until it is crossed or the end has come. */
  readonly meanTime: number;
}

/** Points of the grid between the boundaries. */
const points = 1001;

/** A step of the walk ends this many standard deviations away at most. */
const reach = 7;

/**
 * @param drift expected z at the planned end
 * @param looks how many, the last at the planned end
 * @param level α of the boundary, tightest at the planned end
 */
export function crossing(drift: number, looks: number, level: number): Crossing {
  const planned = tightestInformation(level);
  const limits = Array.from({ length: looks }, (_, look) => {
    const time = (look + 1) / looks;
    return boundary(planned * time, level) * Math.sqrt(time);
  });
  const widest = Math.max(...limits);
  const step = (2 * widest) / (points - 1);
  const sd = Math.sqrt(1 / looks);
  const shift = drift / looks;
  const kernel = stepsOfWalk(step, sd, shift);
  let [open, meanTime] = [1, 0];
  /** Density of the walk where it has not crossed; null while it has not begun. */
  let density: Float64Array | null = null;
  for (const limit of limits) {
    meanTime += open / looks;
    const crossed: number = density === null ? beyond(0, limit, shift, sd) : crossedFrom(density, limit);
    open -= crossed;
    density = density === null ? begun(limit) : walked(density, limit);
  }
  return { probability: 1 - open, meanTime };

  function at(point: number): number {
    return -widest + point * step;
  }

  function crossedFrom(before: Float64Array, limit: number): number {
    let sum = 0;
    for (let point = 0; point < points; point++) {
      if (before[point]! > 0) sum += before[point]! * step * beyond(at(point), limit, shift, sd);
    }
    return sum;
  }

  function begun(limit: number): Float64Array {
    return Float64Array.from({ length: points }, (_, point) => {
      const value = at(point);
      return (inside(value, limit, step) * normalDensity((value - shift) / sd)) / sd;
    });
  }

  function walked(before: Float64Array, limit: number): Float64Array {
    const after = new Float64Array(points);
    for (let point = 0; point < points; point++) {
      const part = inside(at(point), limit, step);
      if (part === 0) continue;
      let sum = 0;
      const first = Math.max(0, point - kernel.last);
      const last = Math.min(points - 1, point - kernel.first);
      for (let from = first; from <= last; from++) {
        sum += before[from]! * kernel.weights[point - from - kernel.first]!;
      }
      after[point] = part * sum * step;
    }
    return after;
  }
}

/** Density of the walk's step by whole grid steps from `first` to `last`. */
function stepsOfWalk(step: number, sd: number, shift: number) {
  const first = Math.floor((shift - reach * sd) / step);
  const last = Math.ceil((shift + reach * sd) / step);
  const weights = Float64Array.from({ length: last - first + 1 }, (_, place) => {
    return normalDensity(((first + place) * step - shift) / sd) / sd;
  });
  return { first, last, weights };
}

/** That a step from a value ends beyond one of the limits. */
function beyond(value: number, limit: number, shift: number, sd: number): number {
  return upperTail((limit - value - shift) / sd) + upperTail((limit + value + shift) / sd);
}

/** How much of the cell around a value lies between the limits, 0 to 1. */
function inside(value: number, limit: number, step: number): number {
  return Math.min(1, Math.max(0, (limit - Math.abs(value)) / step + 0.5));
}

function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}
