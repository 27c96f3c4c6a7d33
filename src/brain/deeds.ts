/** What the rules want done, collected until it goes into one order. */
import type { Order } from '../host/host.ts';
import type { Jobs } from './jobs.ts';

/** What of an order is done once, and not kept. */
export type Done = Pick<Order, 'starts' | 'taps' | 'signals' | 'kills' | 'replaces'>;

export interface Deeds {
  readonly starts: Order['starts'][number][];
  readonly taps: Order['taps'][number][];
  readonly signals: Order['signals'][number][];
  readonly kills: Order['kills'][number][];
}

export const NOTHING_DONE: Done = { starts: [], taps: [], signals: [], kills: [], replaces: [] };

export function noDeeds(): Deeds {
  return { starts: [], taps: [], signals: [], kills: [] };
}

/** For an order; `null` if there is nothing to do. What brings a target back goes before what tells of it. */
export function toDone({ kills, signals, starts, taps }: Deeds, { running }: Jobs): Done | null {
  if (kills.length + signals.length + starts.length + taps.length === 0) return null;
  const notices = new Set(running.flatMap(({ id, kind }) => (kind === 'on-event' || kind === 'webhook' ? [id] : [])));
  const isNotice = ({ id }: Order['starts'][number]): boolean => notices.has(id);
  const ordered = [...starts.filter((one) => !isNotice(one)), ...starts.filter(isNotice)];
  return { kills, signals, starts: ordered, taps, replaces: [] };
}
