/** The six products as drawings on a canvas of 100 by 100, about the centre. */
import type { Shape } from './looks.ts';

export interface Silhouette {
  /** Path data of the part that carries the print. */
  readonly body: string;
  /** Drawn before the body: handles, stands. */
  readonly behind: (paint: string) => string;
  /** Drawn after the body: seams, rims. */
  readonly over: (paint: string) => string;
  /** Half the width of the shadow on the floor, and its height on the canvas. */
  readonly shadow: { readonly halfWidth: number; readonly y: number };
}

const none = () => '';

const line = (d: string, colour: string, width: number, opacity = 1) =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-opacity="${opacity}"
    stroke-linecap="round" stroke-linejoin="round"/>`;

const wood = '#b98a5a';

export const silhouettes: Readonly<Record<Shape, Silhouette>> = {
  tee: {
    body: `M38 20 C42 27 58 27 62 20 L73 24 L89 42 L77 52 L71 45 L71 82 Q50 85 29 82 L29 45 L23 52 L11 42
      L27 24 Z`,
    behind: none,
    over: () =>
      line('M38 20 C42 27 58 27 62 20', '#fff', 2.4, 0.85) +
      line('M29 45 L30 36 M71 45 L70 36', '#000', 1, 0.22),
    shadow: { halfWidth: 26, y: 89 },
  },
  tote: {
    body: 'M24 37 L76 37 L81 86 Q50 89 19 86 Z',
    behind: (paint) => line('M37 42 C35 6 65 6 63 42', paint, 4.4),
    over: () => line('M24.5 41 L75.5 41', '#000', 1, 0.25),
    shadow: { halfWidth: 33, y: 87 },
  },
  mug: {
    body: 'M21 26 L67 26 L66 76 Q65 83 58 83 L30 83 Q23 83 22 76 Z',
    behind: (paint) => line('M65 38 C88 34 88 70 64 68', paint, 7),
    over: () =>
      '<ellipse cx="44" cy="26" rx="23" ry="5.5" fill="#fff" fill-opacity="0.92"/>' +
      '<ellipse cx="44" cy="27" rx="19.5" ry="3.8" fill="#000" fill-opacity="0.28"/>',
    shadow: { halfWidth: 27, y: 83 },
  },
  cushion: {
    body: 'M16 20 Q50 29 84 20 Q76 52 84 84 Q50 76 16 84 Q24 52 16 20 Z',
    behind: none,
    over: () => line('M16 20 Q50 29 84 20 Q76 52 84 84 Q50 76 16 84 Q24 52 16 20 Z', '#fff', 1.4, 0.5),
    shadow: { halfWidth: 34, y: 84 },
  },
  vase: {
    body: `M40 13 L60 13 C57 26 58 31 67 38 C81 49 82 66 68 79 Q63 86 57 86 L43 86 Q37 86 32 79
      C18 66 19 49 33 38 C42 31 43 26 40 13 Z`,
    behind: none,
    over: () => '<ellipse cx="50" cy="13.5" rx="9.5" ry="2.4" fill="#000" fill-opacity="0.35"/>',
    shadow: { halfWidth: 22, y: 86 },
  },
  lamp: {
    body: 'M33 14 L67 14 L86 56 Q50 62 14 56 Z',
    behind: () =>
      `${line('M50 54 L50 84', wood, 5)}<path d="M31 88 Q31 81 50 81 Q69 81 69 88 Z" fill="${wood}"/>`,
    over: () => '<path d="M33 14 L67 14 L68 17 L32 17 Z" fill="#fff" fill-opacity="0.45"/>',
    shadow: { halfWidth: 25, y: 88 },
  },
};
