/** From what the user gave to the plan of a watch, with all that only this machine can tell to be wrong. */
import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { OWN_VARIABLES } from '../config/environment.ts';
import type { GivenTarget } from '../config/file.ts';
import type { Given, Problem } from '../config/given.ts';
import { commandLineReader, complain, type Reader } from '../config/reader.ts';
import { type RunSettings, readRun, readWatchdog, type WatchdogSettings } from '../config/watchdog-settings.ts';
import { originalOpenFilesLimit } from '../system/descriptors.ts';
import { lockName } from '../system/instance-lock.ts';
import { ownCommand, ownExecutable } from '../system/own-process.ts';
import { withoutLinks } from '../system/paths.ts';
import { findUser, userName } from '../system/users.ts';
import { VERSION } from '../version.ts';
import { type ControlPlace, findControlPlace, socketPath } from './control-place.ts';
import type { LoadedConfig } from './load-config.ts';
import { findLogPlace } from './log-place.ts';
import type { Plan, TargetPlan } from './plan.ts';
import { whyUnwritable } from './preflight.ts';
import { makeTargets } from './target-plan.ts';

/** What a brain calls itself from its first instruction on, and the argument that makes it one. */
export const BRAIN_TITLE = 'watchdog: brain';
export const BRAIN_ARGUMENT = 'brain';

/** What a service manager says to us, and to nobody that we start (sd_notify(3)). */
const MANAGER_VARIABLES: ReadonlySet<string> = new Set(['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']);

/** What of our environment commands of another user get: nothing in it is a secret, or about us. */
const FOR_EVERYBODY = /^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ)$/;

/** What was asked for: the watchdog's own settings, and its targets. */
export interface Wishes {
  /** The configuration file, from the root; `null` for the one target of the command line. */
  readonly config: string | null;
  readonly watchdog: Given;
  /** What of that the command line said. */
  readonly given: Given;
  readonly targets: readonly GivenTarget[];
}

/** Where all this is asked for. */
export interface Asker {
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** A plan, or what is wrong; `mayNot`: this user may not have what it needs. */
export type Planned =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly watchdog: WatchdogSettings; readonly run: RunSettings }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[]; readonly mayNot: boolean };

/** The wishes of a command line that names its one target. */
export function wishesOf(given: Given): Wishes {
  return { config: null, watchdog: given, given, targets: [{ name: '', place: '', given }] };
}

/** The wishes of a configuration; what the command line says of the watchdog itself goes first. */
export function wishesOfConfig(path: string, config: LoadedConfig, given: Given): Wishes {
  return { config: path, watchdog: { ...config.watchdog, ...given }, given, targets: config.targets };
}

/** Makes the plan, and collects all that is wrong. */
export async function makePlan(wishes: Wishes, asker: Asker): Promise<Planned> {
  const { problems, run, targets, watchdog } = await readWishes(wishes, asker.environment);
  if (problems.length > 0) return { kind: 'refused', problems, mayNot: false };
  const unwritable = whyUnwritable(watchdog.ownPidFilePlace, watchdog.ownPidFile);
  if (unwritable !== null) return { kind: 'refused', problems: [unwritable], mayNot: false };
  const control = findControlPlace(watchdog, lockKey(wishes, watchdog, targets), asker.environment);
  if ('problem' in control) return { kind: 'refused', problems: [control.problem], mayNot: false };
  const place = findLogPlace(watchdog.log, watchdog.logPlace, asker.environment);
  if ('problem' in place) return { kind: 'refused', problems: [place.problem], mayNot: place.mayNot };
  return { kind: 'plan', plan: assemble(wishes, watchdog, run, targets, place.path, control, asker), watchdog, run };
}

/** Reads and checks all that was asked for; nothing is opened or made for it. */
export async function readWishes(wishes: Wishes, environment: NodeJS.ProcessEnv) {
  const own = commandLineReader(wishes.watchdog);
  const watchdog = readWatchdog(own);
  const run = readRun(own);
  const common = {
    config: wishes.config,
    familyKey: JSON.stringify([ownerOf(watchdog), watchdog.name ?? wishes.config ?? process.pid]),
    isDryRun: run.isDryRun,
    isDaemon: run.isDaemon,
    trustsPaths: watchdog.trustsPaths,
    environment,
  };
  const { problems, targets } = await makeTargets(wishes.targets, common);
  if (wishes.config !== null || targets.every(({ program }) => program === null)) refuseRewrites(own);
  if (run.isOnce && targets.some(({ program }) => program !== null)) {
    complain(own, 'once', 'contradicts a program of ours, which ends with the watchdog; leave one of them out');
  }
  return { watchdog, run, targets, problems: [...problems, ...own.problems] };
}

/** Signals are handed on to the one program of a command line only. */
function refuseRewrites(own: Reader): void {
  if (own.given['rewrite-signal'] === undefined) return;
  complain(own, 'rewrite-signal', 'is about the program behind --, and there is none; leave it out');
}

/** Where the watchdog of these wishes is reached, without a word on whether it is there; `null`: nowhere. */
export function controlPlaceOf(wishes: Wishes, environment: NodeJS.ProcessEnv): string | null {
  const settings = readWatchdog(commandLineReader(wishes.watchdog));
  return socketPath(settings, lockKey(wishes, settings, []), environment, ownerOf(settings));
}

function assemble(
  wishes: Wishes,
  watchdog: WatchdogSettings,
  run: RunSettings,
  targets: readonly TargetPlan[],
  logPath: string | null,
  control: ControlPlace,
  { arguments: args, environment }: Asker,
): Plan {
  const named = targets.map((target) =>
    wishes.config === null && targets.length === 1 ? withName(target, watchdog.name) : target,
  );
  return {
    targets: named,
    name: watchdog.name,
    label: wishes.config === null ? (named[0]?.rules.label ?? '') : (watchdog.name ?? 'watchdog'),
    config: wishes.config,
    given: wishes.config === null ? {} : wishes.given,
    control: control.path,
    controlTrouble: control.why,
    saved: control.saved,
    forwards: wishes.config === null && named[0]?.program != null ? run.rewrites : null,
    isResident: watchdog.isResident,
    isDaemon: run.isDaemon,
    ownPidFile: watchdog.ownPidFile === null ? null : resolve(watchdog.ownPidFile),
    startedBy: { arguments: args, directory: currentDirectory() },
    onlooker: { processTable: watchdog.processTable, arguments: args.join(' '), exe: ownExecutable() },
    start: {
      unset: Object.keys(environment).filter((name) => OWN_VARIABLES.has(name) || MANAGER_VARIABLES.has(name)),
      unsetForOthers: Object.keys(environment).filter((name) => !FOR_EVERYBODY.test(name)),
      openFilesLimit: originalOpenFilesLimit(),
    },
    log: { path: logPath, format: watchdog.logFormat, isShown: !watchdog.isQuiet && logPath !== null && isatty(2) },
    lingerMs: watchdog.lingerMs,
    isQuiet: watchdog.isQuiet,
    lock: lockOf(wishes, watchdog, targets),
    beginning: {
      version: VERSION,
      user: userName(process.geteuid?.() ?? 0),
      directory: run.isDaemon ? '/' : currentDirectory(),
      path: named.length === 1 ? (named[0]?.rules.recoverPath ?? '') : (environment.PATH ?? ''),
    },
    ...ownCommand(BRAIN_TITLE, BRAIN_ARGUMENT),
  };
}

function withName(target: TargetPlan, name: string | null): TargetPlan {
  return name === null ? target : { ...target, rules: { ...target.rules, name } };
}

/** The name of the lock of this watch. */
export function lockOf(wishes: Wishes, watchdog: WatchdogSettings, targets: readonly TargetPlan[]): string {
  return lockName(lockKey(wishes, watchdog, targets), ownerOf(watchdog));
}

/** Who the watchdog is, or will be. */
export function ownerOf({ runAs }: WatchdogSettings): number {
  const user = runAs === null ? null : findUser(runAs.split(':')[0] ?? '');
  return user?.uid ?? process.geteuid?.() ?? 0;
}

/** What makes two watches the same: the name, where one is given, else the file, or all that says what to look for. */
function lockKey({ config }: Wishes, { name }: WatchdogSettings, targets: readonly TargetPlan[]): string {
  if (name !== null) return JSON.stringify({ name });
  if (config !== null) return JSON.stringify({ config: withoutLinks(config) });
  // Somebody may well want to run the same program twice.
  if (targets.some(({ program }) => program !== null)) return JSON.stringify({ pid: process.pid });
  return JSON.stringify(targets.map(({ look: { exe, pattern, pidFile, uids } }) => ({ pattern, pidFile, uids, exe })));
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // Removed under our feet: it can be worked in, but has no name any more.
    return '(removed)';
  }
}
