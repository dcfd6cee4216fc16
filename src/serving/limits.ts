/** How much one request to a service may hold. This file imports nothing, so that a client may know it too. */

/** Candidates of a request. */
export const candidatesLimit = 10_000;

/** Events of a call. */
export const eventsLimit = 10_000;

/** Characters of an id of a user or an item. */
export const idCharacters = 1000;

/** Items that `similar` gives by default, and at most. */
export const similarItems = { usual: 10, most: 1000 } as const;
