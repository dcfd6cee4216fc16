/** Which earlier clicks an answer rests on. */
import { showSamePhoto } from '../data/dataset.ts';
import { invalid } from './check-request.ts';
import type { Deployment } from './deployment.ts';
import type { DescribedView } from './live-state.ts';
import type { Attention } from './requests.ts';

/** @throws CourierError VALUE_INVALID where the export cannot say */
export async function attend(
  { attention, state: { catalogue } }: Deployment,
  { candidates, history, images }: DescribedView,
): Promise<Attention> {
  if (attention === null) throw invalid('the export has no attention.onnx');
  const places = Array.from(candidates, (item) => {
    const comparable = [...history.keys()].filter((place) => {
      const { item: earlier } = history[place]!;
      return catalogue.present[earlier] === 1 && !showSamePhoto(catalogue, item, earlier);
    });
    return images && catalogue.present[item] === 1 ? comparable.slice(0, attention.places) : [];
  });
  const asked = [...candidates.keys()].filter((index) => places[index]!.length > 0);
  const questions = asked.map((index) => {
    return { item: candidates[index]!, history: places[index]!.map((place) => history[place]!.item) };
  });
  const answered = await attention.attend(questions, catalogue.vectors);
  const weights = new Float32Array(candidates.length * history.length);
  for (const [row, index] of asked.entries())
    for (const [at, place] of places[index]!.entries())
      weights[index * history.length + place] = answered[row * attention.places + at]!;
  return { history: history.map(({ id }) => id), weights };
}
