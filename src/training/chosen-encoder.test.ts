import { expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { encoderSettings } from '../encoders/index.ts';
import type { ProgressEvent } from '../progress.ts';
import { chosenEncoder } from './chosen-encoder.ts';

const { data } = tinyLog();

function chosen(side: number, views = 1) {
  const { pageViews, exposures } = data;
  const repeated = Int32Array.from({ length: views * pageViews.split.length + 1 }, (_, view) => view);
  const large = {
    pageViews: { ...pageViews, split: new Uint8Array(repeated.length - 1), start: repeated },
    exposures: { ...exposures, clicked: new Uint8Array(repeated.length).fill(1) },
  };
  const told: ProgressEvent[] = [];
  const settings = encoderSettings.parse({ dimension: 16 });
  const place = { ...(views === 1 ? data : large), images: { side } };
  return { encoder: chosenEncoder(settings, place, (event) => told.push(event)), told };
}

it('where no encoder is named, a small log has outlines and a large one a transformer, and both are told', () => {
  const { encoder, told } = chosen(64);
  expect(encoder).toMatchObject({ name: 'outlines', dimension: 16 });
  expect(told).toMatchObject([
    {
      kind: 'note',
      text: expect.stringMatching(/^Encoder: outlines, chosen for a training period with [\d,]+ clicks/),
    },
  ]);
  const large = Math.ceil(100_000 / data.pageViews.split.length);
  expect(chosen(64, large).encoder).toMatchObject({ name: 'vit-nano', dimension: 16 });
  expect(chosen(60).encoder.name).toBe('vit-nano');
});

it('an encoder that is named is taken, and nothing is said', () => {
  const told: ProgressEvent[] = [];
  const settings = encoderSettings.parse({ name: 'vit' });
  expect(chosenEncoder(settings, { ...data, images: { side: 64 } }, (event) => told.push(event))).toBe(
    settings,
  );
  expect(told).toEqual([]);
});
