/** How far what is scored now is from what the ranker was measured on. */
import type { Deployment } from './deployment.ts';
import { LiveHistogram, scoreBins, simScoreBins, stabilityIndex } from './histogram.ts';
import type { Drift, ServiceStatistics } from './requests.ts';

/** What was seen since an export was opened. */
export class Seen {
  readonly #scores = new LiveHistogram(scoreBins);
  readonly #simScores = new LiveHistogram(simScoreBins);
  #unknown = 0;
  #candidates = 0;

  add(
    { ranker: { columns } }: Deployment,
    candidates: readonly string[],
    scores: Float32Array,
    simScores: Float32Array,
  ): void {
    this.#scores.add(scores);
    this.#simScores.add(simScores);
    this.#candidates += candidates.length;
    for (const id of candidates) if (!columns.knowsItem(id)) this.#unknown += 1;
  }

  drift({ manifest: { reference } }: Deployment): ServiceStatistics['drift'] {
    const beside = (before: Drift['reference'], { value: live }: LiveHistogram): Drift => {
      return { reference: before, live, stabilityIndex: stabilityIndex(before, live) };
    };
    return {
      scores: beside(reference.scores, this.#scores),
      simScores: reference.simScores === null ? null : beside(reference.simScores, this.#simScores),
      unknown: {
        reference: reference.unknown,
        live: this.#candidates === 0 ? null : this.#unknown / this.#candidates,
      },
    };
  }
}
