import { expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { describeIngest } from './ingest-summary.ts';

it('what ingestion counted has a line for each period on what its candidates give away; a gap is a dash', () => {
  const text = describeIngest({
    counts: { items: 3 },
    findings: [],
    understood: [],
    candidateSampling: 'exposed by the shop',
    candidates: [
      {
        split: 'test',
        clicked: { exposures: 0, coldShare: gap('There is no such candidate.') },
        unclicked: { exposures: 8, coldShare: value(0.25) },
        popularityAuc: value(0.5121),
      },
    ],
  });
  expect(text.split('\n')).toEqual([
    '  items  3',
    'Candidates: exposed by the shop',
    '  test: never clicked before: – of the clicked, 25 % of the others; AUC of popularity alone: 0.512',
  ]);
});
