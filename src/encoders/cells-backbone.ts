/** Outlines and colours of the cells of photos as what a head is learned on, by themselves or beside a pretrained network. */
import { createHash } from 'node:crypto';
import type { Backbone } from '../backbones/backbone.ts';
import { requireDivides } from '../config.ts';
import { buildModel } from '../graph/onnx.ts';
import { concatenate, reshape } from '../graph/operators/index.ts';
import { input, openLength } from '../graph/tensor.ts';
import { cellColours, cellOutlines } from './cells.ts';
import { photoAxis } from './export.ts';

/** Numbers of a cell: Fourier coefficients of its outlines, and its mean colour. */
const [outlinesOfCell, coloursOfCell] = [7, 3];

/** Other numbers under the same name would be taken for these. */
const version = 1;

/** @param side of the photos, @param cells on each side of them, which has to divide it */
export function cellsBackbone(side: number, cells: number): Backbone {
  requireDivides('encoder.outlines', cells, "the photos' side", side);
  const places = cells ** 2;
  const photos = input('photos', 'uint8', [openLength, side, side, 3]);
  const flat = [cellOutlines(photos, cells), cellColours(photos, cells)].map((shown) =>
    reshape(shown, [openLength, shown.shape[1]! * places]),
  );
  const widths = [outlinesOfCell * places, coloursOfCell * places];
  return {
    hash: createHash('sha256').update(JSON.stringify({ version, side, cells })).digest('hex'),
    side,
    taps: [
      { name: 'outlines', layout: 'pooled', cells: 1, channels: widths[0]!, from: 0 },
      { name: 'colours', layout: 'pooled', cells: 1, channels: widths[1]!, from: widths[0]! },
    ],
    width: widths[0]! + widths[1]!,
    learnedUntil: null,
    understood: [`Beside it outlines and colours of ${cells} × ${cells} cells are looked at.`],
    model: buildModel({
      outputs: { features: concatenate(flat, 1) },
      openAxes: { photos: photoAxis, features: photoAxis },
    }),
  };
}
