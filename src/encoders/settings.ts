/** What the settings of several encoders have in common. */
import { z } from 'zod';
import { headNames } from '../graph/layers.ts';

/** In pixels. */
export const patchSide = z.int().min(2).max(64);

export const layerWidth = z.int().min(8).max(2048);

/** `mean` pooling as in the paper, or `layout`, which keeps where things are: better for aligned photos. */
export const headSetting = z.enum(headNames).default('mean');

/** Length of the embeddings. */
export const embeddingDimension = z.int().min(4).max(2048).default(128);

/** Settings with the side of the photos in pixels, which the dataset decides. */
export type ForPhotos<Settings> = Readonly<Settings> & { readonly side: number };
