/** What a product looks like, and the tastes that shoppers can have. */

export const shapes = ['tee', 'tote', 'mug', 'cushion', 'vase', 'lamp'] as const;
export const colours = ['red', 'amber', 'green', 'blue', 'violet', 'pink'] as const;
export const patterns = ['plain', 'hoops', 'stripes', 'diagonals', 'dots', 'checks'] as const;

export type Shape = (typeof shapes)[number];
export type Colour = (typeof colours)[number];
export type Pattern = (typeof patterns)[number];

/** A colour in a pattern, whatever the product. */
export interface Taste {
  readonly colour: Colour;
  readonly pattern: Pattern;
}

export interface Look extends Taste {
  readonly shape: Shape;
}

/** Steps from a colour to its patterns, chosen so that two colours share at most two of their three. */
const STEPS = [0, 1, 3];

/**
 * The 18 tastes. The shop makes every colour in three patterns and every pattern in three colours, so that
 * neither tells the taste by itself, and every product is to somebody's taste.
 */
export const tastes: readonly Taste[] = colours.flatMap((colour, i) =>
  STEPS.map((step) => ({ colour, pattern: patterns[(i + step) % patterns.length]! })),
);
