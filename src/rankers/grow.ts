/** A trained ranker goes on as a larger one: the ranker without images as one with them. */
import type { ParameterLayout, ParameterPlace } from '../graph/parameters.ts';

/**
 * Puts values of a ranker's parameters into a larger ranker's. A parameter that has grown keeps its values as its
 * leading block; the new rest of it is zero, so that what is new has no say at first. Parameters that the small
 * ranker does not have stay as they are in `fresh`.
 *
 * @param values of the small ranker: parameters, or a slot of their optimiser. (P)
 * @param fresh of the large ranker. (Q)
 * @returns (Q)
 */
export function growVector(
  small: ParameterLayout,
  values: Float32Array,
  large: ParameterLayout,
  fresh: Float32Array,
): Float32Array {
  const grown = fresh.slice();
  const placeOf = new Map(large.places.map((place) => [place.name, place]));
  for (const from of small.places) {
    const to = placeOf.get(from.name);
    if (to === undefined || !contains(to, from)) {
      throw new Error(`${from.name} [${from.shape}] does not fit into [${to?.shape}]`);
    }
    grown.fill(0, to.offset, to.offset + to.size);
    copyBlock(values, from, grown, to);
  }
  return grown;
}

function contains(large: ParameterPlace, small: ParameterPlace): boolean {
  return (
    large.shape.length === small.shape.length &&
    small.shape.every((length, axis) => length <= large.shape[axis]!)
  );
}

/** Copies line by line, a line being what lies side by side in both. */
function copyBlock(
  values: Float32Array,
  from: ParameterPlace,
  grown: Float32Array,
  to: ParameterPlace,
): void {
  const length = from.shape.at(-1) ?? 1;
  for (let start = 0; start < from.size; start += length) {
    const line = values.subarray(from.offset + start, from.offset + start + length);
    grown.set(line, to.offset + placeIn(to.shape, from.shape, start));
  }
}

/** Where the number at `index` of an array of shape `small` lies in one of shape `large`. */
function placeIn(large: readonly number[], small: readonly number[], index: number): number {
  let [rest, place, stride] = [index, 0, 1];
  for (let axis = small.length - 1; axis >= 0; axis--) {
    place += (rest % small[axis]!) * stride;
    rest = Math.floor(rest / small[axis]!);
    stride *= large[axis]!;
  }
  return place;
}
