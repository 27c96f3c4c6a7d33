/** What came of an operator's order, by the state that the target is in. */

import { describeDeath } from '../core/report.ts';
import type { Member } from './member.ts';
import { describeFailureOf } from './status.ts';

/** `null` while it is still on its way. */
export function outcomeOf(
  verb: 'start' | 'stop' | 'restart' | 'recover',
  member: Member,
  find: (name: string) => Member | undefined,
): { readonly ok: boolean; readonly message: string } | null {
  const { blind, phase } = member.state;
  if (blind !== null) return { ok: false, message: `cannot be looked at: ${blind}` };
  switch (phase.kind) {
    case 'up':
      return verb === 'stop'
        ? { ok: false, message: 'is up again: it was resumed' }
        : { ok: true, message: `is up, pid ${phase.followed.map(({ pid }) => pid).join(', ')}` };
    case 'stopped':
      return { ok: verb === 'stop', message: 'is stopped' };
    case 'paused':
      return { ok: false, message: 'is paused' };
    case 'waiting':
      return isOnItsWay(find(phase.on), find) ? null : { ok: false, message: `waits for ${phase.on}, which is not up` };
    case 'backing-off':
      return { ok: false, message: describeFailureOf(member) };
    case 'exited':
      return { ok: verb === 'stop', message: `has ended: ${describeDeath(phase.loss.how)}` };
    case 'stopping':
      return phase.sent === 'gave-up' ? { ok: false, message: 'did not end by KILL' } : null;
    case 'looking':
    case 'confirming':
    case 'recovering':
    case 'settling':
    case 'ending':
      return null;
  }
}

/** Whether it may come up without anybody's doing, soon. */
function isOnItsWay(member: Member | undefined, find: (name: string) => Member | undefined): boolean {
  if (member === undefined || member.state.blind !== null) return false;
  const { phase } = member.state;
  switch (phase.kind) {
    case 'up':
    case 'looking':
    case 'confirming':
    case 'recovering':
    case 'settling':
    case 'ending':
      return true;
    case 'waiting':
      return isOnItsWay(find(phase.on), find);
    case 'backing-off':
    case 'paused':
    case 'stopping':
    case 'stopped':
    case 'exited':
      return false;
  }
}
