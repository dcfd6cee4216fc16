/** Rows of photos: a click with what it was rebuilt from, and single photos. */

import { decimals, oneLine, percent } from '../text.ts';
import { type Html, html } from './html.ts';
import type { Example, Photo } from './report.ts';

/** Earlier clicks, newest first, with weight and cosine each, an arrow, and the clicked photo. */
export function strip({ clicked, history }: Example): Html {
  const largest = Math.max(...history.map(({ weight }) => weight));
  return html`<div class="strip"><ol aria-label="Earlier clicks, newest first">${history.map(
    ({
      photo,
      weight,
      cosine,
    }) => html`<li class="${weight === largest ? 'largest' : 'other'}">${picture(photo)}
<span class="track" aria-hidden="true"><span class="fill blue" style="width:${bar(weight)}%"></span></span>
<span class="weight"><span class="hidden">attention </span>${percent(weight)}</span>
<span class="track thin" aria-hidden="true"><span class="fill grey" style="width:${bar(cosine)}%"></span></span>
<span class="cosine"><span class="hidden">cosine </span>${decimals(cosine, 2)}</span></li>`,
  )}</ol><span class="arrow" aria-hidden="true">→</span>
<div class="clicked">${picture(clicked)}<span class="weight">clicked</span></div></div>`;
}

/** What the two bars below a photo say. */
export const stripNote = html`The clicked photo is rebuilt from the photos the same user clicked before. Below each of these
stands <span class="key blue">its share in that</span>, its attention weight, and
<span class="key grey">its cosine</span> with the clicked photo: how alike they are to the encoder.`;

/** In percent of the track; below zero there is nothing to fill. */
function bar(share: number): string {
  return (100 * Math.min(1, Math.max(0, share))).toFixed(1);
}

/** Only pictures in formats that cannot run code, whatever the data URI claims. */
const safePicture = /^data:image\/(?:jpeg|png|webp|avif);base64,[A-Za-z0-9+/]+={0,2}$/;

export function picture({ item, title, dataUri }: Photo): Html {
  const name = photoName({ item, title });
  if (dataUri === null || !safePicture.test(dataUri)) {
    return html`<span class="photo missing" role="img" aria-label="${name}, no photo">no photo</span>`;
  }
  return html`<img class="photo" src="${dataUri}" alt="${name}" title="${name}" width="96" height="96">`;
}

export function photoName({ item, title }: Pick<Photo, 'item' | 'title'>): string {
  return oneLine(title ?? `item ${item}`, 80);
}
