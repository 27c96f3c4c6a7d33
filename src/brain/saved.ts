/**
 * What outlives the watchdog itself: what an operator has said to be paused or stopped, and
 * recoveries that were under way when it was killed. In a file, since the memory ends with
 * the sentinel; written only when something of it changes.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync } from 'node:fs';
import { initialState } from '../core/state.ts';
import type { Identity, Target, TargetState } from '../core/types.ts';
import { describeCode, errorCode } from '../system/errors.ts';
import { openStatWatch } from '../system/stat-watch.ts';
import { writeWhole } from '../system/write-whole.ts';

/** Of one target; moments are milliseconds since 1970. */
export interface SavedTarget {
  readonly name: string;
  readonly paused: { readonly untilMs: number | null; readonly reason: string | null } | null;
  readonly isStopped: boolean;
  readonly command: Identity | null;
}

interface Saved {
  readonly boot: string;
  readonly targets: readonly SavedTarget[];
}

const MAX_BYTES = 1_024 * 1_024;

/** What is worth saving of these states. `nowMs` is the clock of their moments. */
export function toSaved(
  states: readonly (readonly [name: string, state: TargetState])[],
  nowMs: number,
): readonly SavedTarget[] {
  return states.flatMap(([name, { command, phase }]) => {
    const isStopped =
      (phase.kind === 'stopped' && phase.isLeft !== true) || (phase.kind === 'stopping' && phase.next === 'stopped');
    const paused = phase.kind === 'paused' ? { untilMs: toWall(phase.untilAtMs, nowMs), reason: phase.reason } : null;
    const identity = command === null ? null : { pid: command.pid, startTime: command.startTime };
    return paused === null && !isStopped && identity === null ? [] : [{ name, paused, isStopped, command: identity }];
  });
}

/** To the second: the same moment must not look like another one each time. */
function toWall(atMs: number | null, nowMs: number): number | null {
  return atMs === null ? null : Math.round((Date.now() + atMs - nowMs) / 1_000) * 1_000;
}

/** The state to begin with. A pause that has ended meanwhile is none; what was stopped, or started, before the machine was is forgotten. */
export function beginFrom(target: Target, saved: SavedTarget | undefined, seed: number, nowMs: number): TargetState {
  const fresh = initialState(target, seed, nowMs);
  if (saved === undefined) return fresh;
  // A program of ours is known by its descent, and taken up again as what it is.
  const command = saved.command === null || target.program !== null ? null : { ...saved.command, stopping: null };
  if (saved.isStopped) return { ...fresh, command, phase: { kind: 'stopped', followed: [], lookAtMs: nowMs } };
  const leftMs = saved.paused?.untilMs == null ? null : saved.paused.untilMs - Date.now();
  if (saved.paused !== null && (leftMs === null || leftMs > 0)) {
    const untilAtMs = leftMs === null ? null : nowMs + leftMs;
    const { reason } = saved.paused;
    // A look at once: who is there is followed in a pause, too.
    return { ...fresh, command, phase: { kind: 'paused', followed: [], untilAtMs, reason, lookAtMs: nowMs } };
  }
  return { ...fresh, command };
}

/** Reads what another watchdog has left; `why` if there is something, and it can't be relied on. */
export function readSaved(path: string): { readonly targets: readonly SavedTarget[]; readonly why: string | null } {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile() || stats.size > MAX_BYTES || stats.uid !== process.geteuid?.()) {
        return { targets: [], why: `${path} is not what a watchdog has left; it is ignored` };
      }
      const saved = JSON.parse(readFileSync(descriptor, 'utf8')) as Saved;
      if (!isSaved(saved)) return { targets: [], why: `${path} has not the form that it should; it is ignored` };
      const isThisBoot = saved.boot === readBoot();
      const targets = saved.targets.map((one) => ({
        ...one,
        isStopped: isThisBoot && one.isStopped,
        command: isThisBoot && one.command !== null && isRunning(one.command) ? one.command : null,
      }));
      return { targets, why: null };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof SyntaxError) return { targets: [], why: `${path} is broken; it is ignored` };
    const code = errorCode(error);
    return { targets: [], why: code === 'ENOENT' ? null : `${path} cannot be read: ${describeCode(code)}` };
  }
}

/** Whether it is still the same process, and has not ended. */
function isRunning(identity: Identity): boolean {
  const watch = openStatWatch(identity);
  const death = watch.read();
  watch.close();
  return death === null;
}

function isSaved(value: Saved): boolean {
  const isTarget = ({ command, isStopped, name, paused }: SavedTarget): boolean =>
    typeof name === 'string' &&
    typeof isStopped === 'boolean' &&
    (command === null || (Number.isInteger(command.pid) && Number.isInteger(command.startTime))) &&
    (paused === null || paused.untilMs === null || Number.isFinite(paused.untilMs));
  return typeof value?.boot === 'string' && Array.isArray(value.targets) && value.targets.every(isTarget);
}

/** A writer that does nothing while nothing has changed. What went wrong is told once. */
export function openSavedFile(path: string | null, onTrouble: (why: string) => void) {
  let last: string | null = null;
  let trouble: string | null = null;

  return (targets: readonly SavedTarget[]): void => {
    const text = targets.length === 0 ? '' : JSON.stringify({ boot: readBoot(), targets } satisfies Saved);
    if (path === null || text === last) return;
    const why = write(path, text);
    last = why === null ? text : null;
    if (why !== null && why !== trouble) onTrouble(why);
    trouble = why;
  };
}

/** Why it could not be written, if so. */
function write(path: string, text: string): string | null {
  try {
    if (text === '') rmSync(path, { force: true });
    else writeWhole(path, text, 0o600);
    return null;
  } catch (error) {
    return `${path} cannot be written: ${describeCode(errorCode(error))}; pauses and stops end with this watchdog`;
  }
}

/** Tells one start of the machine from another; empty where nothing does. */
function readBoot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch (error) {
    errorCode(error);
    return '';
  }
}
