/** The strip of examples in a report: test clicks beside the earlier clicks they were rebuilt from. */
import sharp from 'sharp';
import { type Dataset, NONE } from '../data/dataset.ts';
import { Random } from '../random.ts';
import type { Example, Photo } from '../report/report.ts';
import type { AttendedClick } from './attention.ts';

/** Fewer earlier clicks leave attention little to choose from. */
const enoughHistory = 4;

/** Clicks of different users, drawn with a fixed seed: a sample, not a selection. */
export async function chooseExamples(
  dataset: Dataset,
  attended: readonly AttendedClick[],
  count: number,
): Promise<readonly Example[]> {
  const order = Random.seeded(1, 'examples').shuffle(Array.from(attended.keys()));
  const users = new Set<number>();
  const chosen: AttendedClick[] = [];
  for (const index of order) {
    const click = attended[index]!;
    const user = dataset.pageViews.user[click.pageView]!;
    if (chosen.length === count || click.history.length < enoughHistory || users.has(user)) continue;
    users.add(user);
    chosen.push(click);
  }
  return Promise.all(
    chosen.map(async ({ item, history }) => ({
      clicked: await photoOf(dataset, item),
      history: await Promise.all(
        history.map(async ({ item: earlier, weight }) => ({
          photo: await photoOf(dataset, earlier),
          weight,
        })),
      ),
    })),
  );
}

async function photoOf({ catalogue, images }: Dataset, item: number): Promise<Photo> {
  const row = catalogue.photo[item]!;
  return {
    item: catalogue.ids[item]!,
    title: catalogue.titles[item]!,
    dataUri: row === NONE ? null : await encode(),
  };

  async function encode(): Promise<string> {
    const { side } = images;
    const jpeg = await sharp(images.read([row]), { raw: { width: side, height: side, channels: 3 } })
      .jpeg({ quality: 85 })
      .toBuffer();
    return `data:image/jpeg;base64,${jpeg.toString('base64')}`;
  }
}
