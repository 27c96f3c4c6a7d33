/** Our orders in the words of the sentinel's protocol, and its lines as events. */
import { existsSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { signalName, signalNumber } from '../core/signals.ts';
import { type ChildSpec, SHELL } from '../system/child.ts';
import { describeCode } from '../system/errors.ts';
import type { HostEvent, Order } from './host.ts';
import type { Command, Frame, Told } from './sentinel-protocol.ts';

/** What every frame repeats: how the sentinel starts a brain, and what it needs for lines of its own. */
export type Standing = Pick<Frame, 'brain' | 'note' | 'log' | 'offsetSeconds' | 'filesLimit' | 'detaches'>;

/** An order as the part of a frame that changes from one to the next. */
export function toFrame(order: Order): Omit<Frame, keyof Standing | 'end'> {
  return {
    state: order.memory(),
    title: order.title,
    watch: order.watch,
    deadlineMs: order.deadlineAtMs,
    starts: order.starts.map(({ id, spec }) => ({ id, command: toCommand(spec) })),
    replaces: order.replaces.map(({ id, identity, spec, unless }) => ({
      ...identity,
      id,
      unless,
      command: toCommand(spec),
    })),
    taps: order.taps.map(({ identity, output }) => ({
      ...identity,
      output: output.path,
      errors: output.errorPath,
      maxBytes: output.maxBytes,
      keep: output.keep,
    })),
    signals: order.signals.map(({ pid, signal }) => ({ pid, number: signalNumber(signal) })),
    isReady: order.isReady,
    isPatient: order.isPatient,
    forwards: order.forwards,
    kills: order.kills.map(({ identity, signal }) => ({ ...identity, number: signalNumber(signal) })),
  };
}

function toCommand(spec: ChildSpec): Command {
  const { mark, restraint } = spec;
  return {
    program: SHELL,
    args: ['sh', '-c', spec.command, ...(spec.args.length === 0 ? [] : ['sh', ...spec.args])],
    set: spec.set,
    unset: spec.unset,
    directory: spec.cwd,
    output: spec.output === null ? nowhere() : spec.output.path,
    errors: spec.output !== null && 'keep' in spec.output ? spec.output.errorPath : null,
    rotate: spec.output !== null && 'keep' in spec.output ? spec.output : null,
    user: spec.user,
    restraint: mark === null ? restraint : { ...restraint, limits: [...restraint.limits, mark] },
    isForeground: spec.isForeground,
  };
}

/** `null` is what the sentinel has itself: some containers have no devices. */
function nowhere(): string | null {
  return existsSync('/dev/null') ? '/dev/null' : null;
}

/** `null` for what is only a reason to look at the clock. */
export function toEvent(told: Told): HostEvent | null {
  switch (told.kind) {
    case 'lock':
      if (told.errno === 0) return { kind: 'lock', result: 'held' };
      return { kind: 'lock', result: nameOf(told.errno) === 'EADDRINUSE' ? 'taken' : 'unavailable' };
    case 'gone':
      return { kind: 'died', identity: { pid: told.pid, startTime: told.startTime }, how: told.how };
    case 'unwatched':
      return {
        kind: 'unwatched',
        identity: { pid: told.pid, startTime: told.startTime },
        why: describeCode(nameOf(told.errno)),
      };
    case 'started':
      return { kind: 'child-started', id: told.id, identity: { pid: told.pid, startTime: told.startTime } };
    case 'failed':
      return { kind: 'child-not-started', id: told.id, step: told.step, code: nameOf(told.errno) };
    case 'ended':
      return { kind: 'child-exited', pid: told.pid, how: told.how };
    case 'orphan':
      return { kind: 'orphan-died', of: told.pid, pid: told.orphan, how: told.how };
    case 'signal':
      return { kind: 'signal', signal: `SIG${signalName(told.number)}` };
    case 'connect':
      return { kind: 'connect' };
    case 'due':
    case 'go':
      return null;
  }
}

function nameOf(errno: number): string {
  return getSystemErrorName(-errno);
}
