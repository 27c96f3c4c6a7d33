/** How somebody is made to end: asked, then sent KILL, then only looked at. The same for whom an operator stops and for who was left behind. */
import { report } from './transitions.ts';
import type { Action, Identity, Seen } from './types.ts';

/** Between looks while somebody is being ended. */
export const PRESSURE_LOOK_MS = 100;
/** How long somebody may still be there after KILL before that is told. */
const KILL_GRACE_MS = 5_000;
/** Between looks at somebody whom not even KILL has ended. */
const STUCK_LOOK_MS = 1_000;

/** What is done next, what that counts as, and when it has had its time. */
export interface Pressure {
  readonly sent: 'KILL' | 'gave-up';
  readonly waitMs: number;
  readonly lookMs: number;
  readonly actions: readonly Action[];
}

/** One step further with those who have not ended in time. */
export function pressHarder(sent: 'command' | 'signal' | 'KILL' | 'gave-up', left: readonly Seen[]): Pressure {
  switch (sent) {
    case 'command':
    case 'signal': {
      const actions = [report({ kind: 'stop-late', seen: left }), toSignal(left, 'KILL')];
      return { sent: 'KILL', waitMs: KILL_GRACE_MS, lookMs: PRESSURE_LOOK_MS, actions };
    }
    case 'KILL': {
      const actions = [report({ kind: 'stop-stuck', seen: left })];
      return { sent: 'gave-up', waitMs: STUCK_LOOK_MS, lookMs: STUCK_LOOK_MS, actions };
    }
    case 'gave-up':
      return { sent: 'gave-up', waitMs: STUCK_LOOK_MS, lookMs: STUCK_LOOK_MS, actions: [] };
  }
}

/** To each of them, by what holds it: nobody else can have its number by then. */
export function toSignal(seen: readonly Identity[], signal: string): Action {
  return { kind: 'signal', identities: seen.map(({ pid, startTime }) => ({ pid, startTime })), signal };
}
