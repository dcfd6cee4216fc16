/** Who gets which arm: a pure function of salt, user and time, which needs no memory and gives the same anywhere. */
import { murmurHash3 } from '../murmur-hash.ts';
import type { Arm, Experiment } from './definition.ts';

/** Places that users are dealt to. */
const places = 2 ** 32;

const utf8 = new TextEncoder();

/**
 * The arm of a user.
 *
 * The place of a user is MurmurHash3 (x86, 32 bits, seed 0) of `salt:user` in UTF-8. Each arm owns a stretch of the
 * places, one after the other in the order of the arms, as long as its share. Of the stretch of a treatment the lower
 * `part` of the ramp's present step has the treatment, and the rest has control. So nobody ever leaves a treatment, and
 * the only move is from control into the treatment whose stretch one is in.
 *
 * @param time milliseconds since 1970-01-01 UTC
 * @returns null outside of the experiment's time, and for users in no stretch, where shares are less than 1 together
 */
export function armOf(experiment: Experiment, user: string, time: number): Arm | null {
  const { start, end, arms, salt } = experiment;
  if (time < start || (end !== undefined && time >= end)) return null;
  const place = murmurHash3(utf8.encode(`${salt}:${user}`), 0);
  const part = partAt(experiment, time);
  let before = 0;
  for (const [index, arm] of arms.entries()) {
    const isIn = place < placeAt(before + arm.share);
    if (isIn && (index === 0 || place < placeAt(before + part * arm.share))) return arm;
    if (isIn) return arms[0] ?? null;
    before += arm.share;
  }
  return null;
}

/** Share of each arm among the users who have one at a time, together 1; in the order of the arms. */
export function sharesAt(experiment: Experiment, time: number): number[] {
  const part = partAt(experiment, time);
  const all = experiment.arms.reduce((sum, { share }) => sum + share, 0);
  const shares = experiment.arms.map(({ share }, index) => (index === 0 ? 0 : (part * share) / all));
  shares[0] = 1 - shares.reduce((sum, share) => sum + share, 0);
  return shares;
}

/** Part of their shares that treatments have: all of it where there is no ramp, nothing before its first step. */
function partAt({ ramp }: Experiment, time: number): number {
  if (ramp.length === 0) return 1;
  return ramp.reduce((before, { from, part }) => (time >= from ? part : before), 0);
}

function placeAt(share: number): number {
  return Math.round(share * places);
}
