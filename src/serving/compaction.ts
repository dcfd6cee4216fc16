/** Keeps the log as long as it has to be: what an export knows, and has been known for long, need not be read again. */
import { decodeContent, encodeContent, entryId } from './events.ts';
import type { LogEntry, StateStore } from './state-store.ts';

const entriesAtATime = 2000;

/**
 * Forgets the beginning of the log: events of before a moment that were acknowledged before another. Should such an event be sent
 * again, it still does not count twice, since it is of before that moment. What was said last of an item is said again at the
 * end of the log.
 * @param until up to which moment the export in use knows events
 * @param before when an entry has to have been acknowledged, so that an older export may still come back
 */
export async function compact(store: StateStore, until: number, before: number): Promise<void> {
  let through = 0;
  const items = new Map<string, LogEntry>();
  read: for (;;) {
    const entries = await store.read(through, entriesAtATime);
    for (const { position, content } of entries) {
      const kept = decodeContent(content);
      if (kept !== null) {
        if (kept.at >= before) break read;
        if (kept.is.kind === 'item' || kept.is.kind === 'removal') {
          items.delete(kept.is.id);
          items.set(kept.is.id, { id: entryId(), content: encodeContent(kept) });
        } else if (kept.is.time >= until) break read;
      }
      through = position;
    }
    if (entries.length < entriesAtATime) break;
  }
  if (through === 0) return;
  await keepNewest(store, through, items);
  await store.forget(through);
}

/** Of items of which there is no word behind what is forgotten. */
async function keepNewest(store: StateStore, through: number, items: Map<string, LogEntry>): Promise<void> {
  for (let behind = through; items.size > 0; ) {
    const entries = await store.read(behind, entriesAtATime);
    for (const { position, content } of entries) {
      const kept = decodeContent(content)?.is;
      if (kept?.kind === 'item' || kept?.kind === 'removal') items.delete(kept.id);
      behind = position;
    }
    if (entries.length < entriesAtATime) break;
  }
  if (items.size > 0) await store.append([...items.values()]);
}
