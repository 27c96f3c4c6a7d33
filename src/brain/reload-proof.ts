/** What came of a target's reload: the same process goes on, another has taken over, or it died of it. */
import { describeDeath } from '../core/report.ts';
import { followed, without } from '../core/state.ts';
import type { Seen } from '../core/types.ts';
import type { Member } from './member.ts';
import { describeFailureOf } from './status.ts';

/** A reload that was asked for, and how the target was before. */
export interface ReloadProof {
  readonly before: readonly Seen[];
  readonly recoveries: number;
  /** Milliseconds since 1970. */
  readonly begunAtMs: number;
  /** Who is there then has survived it; by the host's clock. */
  readonly decideAtMs: number;
}

/** Who dies of a reload does so while it reads its configuration: at once, or after it has loaded it. */
const PROOF_MS = 1_000;

export function beginProof({ recoveries, state }: Member, nowMs: number): ReloadProof {
  return { before: followed(state), recoveries, begunAtMs: Date.now(), decideAtMs: nowMs + PROOF_MS };
}

/** `null` while it can't be told. `isRunning`: whether a command that does it runs. */
export function outcomeOfReload(
  proof: ReloadProof,
  member: Member,
  isRunning: boolean,
  nowMs: number,
): { readonly ok: boolean; readonly message: string } | null {
  const { history, recoveries, state } = member;
  const failure = history.findLast(({ atMs, event }) => event === 'command-failed' && atMs >= proof.begunAtMs);
  if (failure !== undefined) return { ok: false, message: failure.message };
  if (isRunning) return null;
  const { phase } = state;
  switch (phase.kind) {
    case 'up':
      if (recoveries > proof.recoveries) {
        return { ok: false, message: `died of its reload, and is up again: pid ${pids(phase.followed)}` };
      }
      return nowMs < proof.decideAtMs ? null : { ok: true, message: describeSurvivors(proof.before, phase.followed) };
    case 'backing-off':
      return { ok: false, message: `died of its reload: ${describeFailureOf(member)}` };
    case 'exited':
      return { ok: false, message: `ended by its reload: ${describeDeath(phase.loss.how)}` };
    case 'paused':
    case 'stopped':
    case 'stopping':
    case 'waiting':
      return { ok: false, message: `is ${phase.kind}` };
    case 'looking':
    case 'confirming':
    case 'recovering':
    case 'settling':
    case 'ending':
      return null;
  }
}

function describeSurvivors(before: readonly Seen[], now: readonly Seen[]): string {
  const gone = without(before, now);
  if (gone.length === 0) return `was reloaded: pid ${pids(now)} is still the same`;
  return `was reloaded: pid ${pids(without(now, before))} has taken over from ${pids(gone)}`;
}

function pids(seen: readonly Seen[]): string {
  return seen.map(({ pid }) => pid).join(', ');
}
