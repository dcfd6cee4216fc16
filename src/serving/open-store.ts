/** Where the state of a service lies, by its address. */
import { LmdbStore } from './lmdb-store.ts';
import { RedisStore } from './redis-store.ts';
import type { StateStore } from './state-store.ts';

/**
 * @param place `redis://…` or `rediss://…` for Redis, which replicas on several machines share; anything else is the path of an
 * LMDB file, which processes of one machine may share
 * @throws CourierError OUTPUT_NOT_WRITABLE, STATE_UNAVAILABLE, CONFIG_INVALID
 */
export function openStateStore(place: string): Promise<StateStore> {
  return /^rediss?:\/\//.test(place) ? RedisStore.open(place) : LmdbStore.open(place);
}
