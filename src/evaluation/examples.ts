/** Photos beside each other: clicks and the earlier clicks they were rebuilt from. */
import sharp from 'sharp';
import { type Dataset, NONE } from '../data/dataset.ts';
import { Random } from '../random.ts';
import type { Example, Photo } from '../report/report.ts';
import type { AttendedClick } from './attention.ts';

/** Fewer earlier clicks leave attention little to choose from. */
const enoughHistory = 4;

/** Side at most of a photo in a page, in pixels: twice what is shown, for dense displays. */
const photoSide = 144;

/** Clicks of different users, drawn with a fixed seed: a sample, not a selection. */
export async function chooseExamples(
  dataset: Dataset,
  attended: readonly AttendedClick[],
  count: number,
): Promise<readonly Example[]> {
  const chosen = sampleClicks(dataset, attended, count, Random.seeded(1, 'examples'));
  return Promise.all(chosen.map((click) => exampleOf(dataset, click)));
}

/** Clicks of different users, drawn at random among those with several earlier clicks, as far as there are such. */
export function sampleClicks(
  { pageViews }: Pick<Dataset, 'pageViews'>,
  attended: readonly AttendedClick[],
  count: number,
  random: Random,
): readonly AttendedClick[] {
  const longest = attended.reduce((length, { history }) => Math.max(length, history.length), 0);
  const least = Math.min(enoughHistory, longest);
  const order = random.shuffle(Array.from(attended.keys()));
  const users = new Set<number>();
  const chosen: AttendedClick[] = [];
  for (const index of order) {
    const click = attended[index]!;
    const user = pageViews.user[click.pageView]!;
    if (chosen.length === count || click.history.length < least || users.has(user)) continue;
    users.add(user);
    chosen.push(click);
  }
  return chosen;
}

export async function exampleOf(dataset: Dataset, { item, history }: AttendedClick): Promise<Example> {
  return {
    clicked: await photoOf(dataset, item),
    history: await Promise.all(
      history.map(async ({ item: earlier, weight, cosine }) => ({
        photo: await photoOf(dataset, earlier),
        weight,
        cosine,
      })),
    ),
  };
}

/** The photo of an item of the catalogue, small enough for a page with many. */
export async function photoOf({ catalogue, images }: Dataset, item: number): Promise<Photo> {
  const row = catalogue.photo[item]!;
  return {
    item: catalogue.ids[item]!,
    title: catalogue.titles[item]!,
    dataUri: row === NONE ? null : await encode(),
  };

  async function encode(): Promise<string> {
    const { side } = images;
    const jpeg = await sharp(images.read([row]), { raw: { width: side, height: side, channels: 3 } })
      .resize(Math.min(side, photoSide))
      .jpeg({ quality: 85 })
      .toBuffer();
    return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
  }
}
