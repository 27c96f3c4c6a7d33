/** Starts a recovery as a child of ours, so that it runs as if it were the only thing that this machine does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { signalNumber } from '../core/signals.ts';
import type { Death, Identity } from '../core/types.ts';
import { type ChildSpec, type KeptOutput, type NotStarted, type RunAs, SHELL } from './child.ts';
import { errorCode } from './errors.ts';
import { isAllowed } from './paths.ts';
import { parseStat } from './proc-stat.ts';

const { O_APPEND, O_CREAT, O_NOCTTY, O_NOFOLLOW, O_WRONLY } = constants;
const OUTPUT_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY;

export type StartResult =
  | { readonly kind: 'started'; readonly identity: Identity }
  | ({ readonly kind: 'not-started' } & NotStarted);

/**
 * Starts `/bin/sh -c COMMAND` in a session of its own, with nothing on its standard
 * input, and its output where it was asked to go: a file and never a pipe of ours,
 * which a daemon would hold open for ever, or die of when we end. `onExit` is told of
 * the end of the shell, not of its output. Node gives it default signals and an empty
 * mask.
 */
export async function startChild(
  spec: ChildSpec,
  openFilesLimit: number | null,
  onExit: (pid: number, how: Death) => void,
): Promise<StartResult> {
  const hasNull = isAllowed('/dev/null');
  const own: number[] = [];
  try {
    // Files of its own grow here without bounds: there is nobody to stand between.
    const descriptors =
      spec.output === null ? [] : 'keep' in spec.output ? openFiles(spec.output, own) : [spec.output.descriptor];
    const [output = hasNull ? 'ignore' : 'inherit', errors = output] = descriptors;
    const child = spawn(SHELL, shellArguments(spec, openFilesLimit), {
      detached: !spec.isForeground,
      // A pipe that is closed at once reads as empty, too: some containers have no devices.
      stdio: spec.isForeground && own.length === 0 ? 'inherit' : [hasNull ? 'ignore' : 'pipe', output, errors],
      env: environmentOf(spec),
      ...(spec.cwd === null ? {} : { cwd: spec.cwd }),
    });
    child.stdin?.destroy();
    const { pid } = child;
    if (pid === undefined) return { kind: 'not-started', ...whichStep(await errorOf(child), spec) };
    child.on('exit', (status, signal) => onExit(pid, toDeath(status, signal)));
    return { kind: 'started', identity: { pid, startTime: readStartTime(pid) } };
  } catch (error) {
    return { kind: 'not-started', ...whichStep(errorCode(error), spec) };
  } finally {
    for (const descriptor of own) closeSync(descriptor);
  }
}

/** Notes each as it is opened, so that it is closed even if the next one can't be. */
function openFiles({ errorPath, path }: KeptOutput, opened: number[]): readonly number[] {
  for (const one of errorPath === null ? [path] : [path, errorPath]) opened.push(openSync(one, OUTPUT_FLAGS, 0o640));
  return opened;
}

/**
 * Sends a signal to all that a child of ours started and that stayed in its group. The
 * number is the child's own for as long as we were not told of its end. `false` if
 * nobody could be reached: they have ended, or belong to somebody else by now.
 */
export function signalGroup(pid: number, signal: string): boolean {
  // A program in the foreground is in our own group: then it alone is meant.
  return signalOne(-pid, signal) || signalOne(pid, signal);
}

function signalOne(pid: number, signal: string): boolean {
  try {
    return process.kill(pid, signalNumber(signal));
  } catch (error) {
    errorCode(error);
    return false;
  }
}

/**
 * Node raises its own limit of open files to the hard one and children inherit that;
 * a program that uses select(2), or closes every possible descriptor, fares badly.
 */
function shellArguments(spec: ChildSpec, openFilesLimit: number | null): string[] {
  const steps = prelude(spec, openFilesLimit);
  const args = spec.args.length === 0 ? [] : ['sh', ...spec.args];
  if (steps.length === 0 && spec.user === null) return ['-c', spec.command, ...args];
  const become = spec.user === null ? [] : asUser(spec.user);
  const script = [...steps, 'exec "$@"'].join(' && ');
  return ['-c', script, 'sh', ...become, SHELL, '-c', spec.command, ...args];
}

/** What a shell can set for the one that it becomes. */
function prelude(
  { mark, restraint: { limits, nice, umask } }: ChildSpec,
  openFilesLimit: number | null,
): readonly string[] {
  return [
    // Without prlimit(1) the command itself is known all the same.
    ...(mark === null
      ? []
      : [`{ prlimit --pid $$ --rttime=${mark.soft}:${mark.hard ?? 'unlimited'} 2> /dev/null || :; }`]),
    ...(openFilesLimit === null ? [] : [`ulimit -S -n ${openFilesLimit}`]),
    ...(umask === null ? [] : [`umask ${umask.toString(8)}`]),
    ...limits.map(({ hard, name, soft }) => `prlimit --pid $$ --${name}=${soft ?? 'unlimited'}:${hard ?? 'unlimited'}`),
    ...(nice === null ? [] : [`renice -n ${nice} -p $$ > /dev/null`]),
  ];
}

/** Node would take all supplementary groups away; setpriv(1) sets those of the user, and fails rather than go on as root. */
function asUser({ gid, groups, uid }: RunAs): readonly string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, `--groups=${groups.join(',')}`, '--'];
}

function environmentOf(spec: ChildSpec): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !spec.unset.includes(name));
  return { ...Object.fromEntries(kept), ...spec.set };
}

/** A child that could not be started tells why by an event, right after. */
function errorOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      try {
        resolve(errorCode(error));
      } catch (defect) {
        reject(defect);
      }
    });
  });
}

/** The kernel says ENOENT for a missing shell and a missing directory alike. */
function whichStep(code: string, spec: ChildSpec): NotStarted {
  return { step: spec.cwd !== null && !isAllowed(spec.cwd, constants.X_OK) ? 'directory' : 'program', code };
}

function toDeath(status: number | null, signal: NodeJS.Signals | null): Death {
  if (signal !== null) return { kind: 'killed', signal: signal.replace(/^SIG/, '') };
  return status === null ? { kind: 'unknown' } : { kind: 'exited', status };
}

/** A child of ours has an entry until we are told of its end. Where there is no `/proc`, the number alone must do. */
function readStartTime(pid: number): number {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.startTime ?? 0;
  } catch (error) {
    errorCode(error);
    return 0;
  }
}
