/** How targets are, for whoever asks. */
import type { ProcessStatus, TargetStatus } from '../control/protocol.ts';
import { escapeForeign } from '../core/escape.ts';
import { describeDeath } from '../core/report.ts';
import { followed } from '../core/state.ts';
import type { Phase } from '../core/types.ts';
import { keptOutputOf } from '../plan/plan.ts';
import { formatIsoTime } from '../system/clock.ts';
import type { Usage } from '../system/usage.ts';
import type { Member } from './member.ts';
import { phaseWords } from './title.ts';

type ReadUsage = (pids: readonly number[]) => Promise<ReadonlyMap<number, Usage>>;

/** In their order. `nowMs` is the host's clock, of all moments in the state. */
export async function toStatus(
  members: readonly Member[],
  readUsage: ReadUsage,
  nowMs: number,
): Promise<readonly TargetStatus[]> {
  const usages = await readUsage(members.flatMap(({ state }) => followed(state).map(({ pid }) => pid)));
  const toTime = (atMs: number): string => formatIsoTime(new Date(Date.now() + atMs - nowMs));
  return members.map((member) => {
    const { history, plan, recoveries, state } = member;
    const { phase } = state;
    const files = keptOutputOf(plan.program);
    const last = history.at(-1);
    return {
      name: plan.rules.name,
      groups: plan.groups,
      state: phaseWords(state),
      isUp: state.blind === null && phase.kind === 'up',
      processes: followed(state).map((seen) => toProcess(seen, usages.get(seen.pid))),
      recoveries,
      failures: state.failures,
      lastExit: member.lastEnd === null ? null : describeDeath(member.lastEnd),
      output: plan.program?.output === 'ours' ? '-' : (files?.path ?? null),
      errorOutput: files?.errorPath ?? null,
      nextTryAt: phase.kind === 'backing-off' ? toTime(phase.dueAtMs) : null,
      waitsFor: phase.kind === 'waiting' ? phase.on : null,
      pausedUntil: phase.kind === 'paused' && phase.untilAtMs !== null ? toTime(phase.untilAtMs) : null,
      reason: reasonOf(phase),
      blind: state.blind,
      lastEvent:
        last === undefined
          ? null
          : {
              time: formatIsoTime(new Date(last.atMs)),
              target: plan.rules.name,
              event: last.event,
              message: last.message,
            },
    };
  });
}

function toProcess(
  seen: { readonly pid: number; readonly commandLine: string },
  usage: Usage | undefined,
): ProcessStatus {
  return {
    pid: seen.pid,
    ageMs: usage?.ageMs ?? null,
    cpuPercent: usage === undefined ? null : Math.round(usage.cpuPercent * 10) / 10,
    memoryBytes: usage?.memoryBytes ?? null,
    command: escapeForeign(seen.commandLine),
  };
}

function reasonOf(phase: Phase): string | null {
  if (phase.kind === 'exited') return describeDeath(phase.loss.how);
  return phase.kind === 'paused' ? phase.reason : null;
}

/** Why its last recovery failed, in the words of the log. */
export function describeFailureOf({ history }: Member): string {
  return history.findLast(({ event }) => event === 'recovery-failed')?.message ?? 'could not be recovered';
}
