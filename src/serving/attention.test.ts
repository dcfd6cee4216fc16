import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import { attendClicks } from '../evaluation/attention.ts';
import { loadItemEmbeddings } from '../evaluation/visual-inputs.ts';
import { embed } from '../pipelines/embed/index.ts';
import { exportServing } from '../pipelines/export/index.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';
import { rank } from '../pipelines/rank/index.ts';
import { Engine } from '../runtime/engine.ts';
import { openService } from './service.ts';

it('a service tells from which earlier clicks a candidate is rebuilt, as the evaluation does', async () => {
  const folder = await temporaryFolder();
  const dataset = await tinyDataset(folder);
  const run = join(folder, 'encoder');
  await pretrain({ ...tinyPretraining, dataset, out: run });
  const [encoder, attention] = [join(run, 'encoder.onnx'), join(run, 'attention.onnx')];
  const embeddings = join(folder, 'embeddings.parquet');
  await embed({ encoder, dataset, out: embeddings });
  const ranked = {
    dataset,
    out: join(folder, 'rank'),
    export: 'none',
    ranker: { epochs: 1 },
    diagnosis: false,
  };
  await rank({ ...ranked, starts: ['warm'] });
  const out = join(folder, 'export');
  await exportServing({ dataset, ranker: join(ranked.out, 'export'), embeddings, encoder, attention, out });
  const service = await openService({ export: out, state: join(folder, 'state.mdb') });
  const data = await loadDataset(dataset);
  const { catalogue, pageViews } = data;
  const items = await loadItemEmbeddings(data, embeddings);
  const engine = Engine.start();
  const attended = await attendClicks(data, 'test', items, attention, 5, engine);
  await engine.close();
  expect(attended.length).toBeGreaterThan(5);
  for (const { pageView, item, history } of attended) {
    const places = pageViews.history.subarray(
      pageView * pageViews.historyLength,
      (pageView + 1) * pageViews.historyLength,
    );
    const clicked = Array.from(places.filter((each) => each >= 0)).map((each) => catalogue.ids[each]!);
    const answer = await service.score({
      candidates: [catalogue.ids[item]!, 'nobody knows it'],
      history: clicked,
      attention: true,
    });
    expect(answer.attention?.history).toEqual(clicked);
    const weights = answer.attention?.weights ?? new Float32Array();
    const wanted = new Map(history.map((each) => [catalogue.ids[each.item]!, each.weight]));
    for (const [place, id] of clicked.entries()) expect(weights[place]).toBeCloseTo(wanted.get(id) ?? 0, 5);
    expect(weights.subarray(clicked.length).every((weight) => weight === 0)).toBe(true);
  }
  await service.close();
  closeDataset(data);
});
