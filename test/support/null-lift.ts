/** Lifts where no ranker is better than the other, as they come of users and seeds. */
import type { UserInfluence } from '../../src/metrics/user-influence.ts';
import type { Random } from '../../src/random.ts';

/** Standard deviations of a lift, that of the draw of users being 1. */
export interface NullNoise {
  /** Of what a seed does for all users. */
  readonly seed: number;
  /** Of what a seed does for the users at hand, each for itself. */
  readonly interaction: number;
}

/** The lift of each seed on the same users: what a user gets is its own, its seed's, and that of both. (seeds) */
export function nullLift(random: Random, users: number, seeds: number, noise: NullNoise): UserInfluence[] {
  const own = Float64Array.from({ length: users }, () => random.normal());
  return Array.from({ length: seeds }, () => {
    const luck = (noise.seed * random.normal()) / Math.sqrt(users);
    const effects = own.map((user) => user + luck + noise.interaction * random.normal());
    const value = effects.reduce((sum, effect) => sum + effect, 0) / users;
    const influence = effects.map((effect) => (effect - value) / (users - 1));
    return { value, influence, users, effectiveUsers: users };
  });
}
