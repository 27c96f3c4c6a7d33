/** From what the user gave to the plan of a watch, with all that only this machine can tell to be wrong. */
import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { OWN_VARIABLES } from '../config/environment.ts';
import type { GivenTarget } from '../config/file.ts';
import { type Given, hint, type Problem } from '../config/given.ts';
import { commandLineReader, placeOf, type Reader } from '../config/reader.ts';
import { readSelect, type SelectSettings } from '../config/select-settings.ts';
import { readTarget, type TargetSettings } from '../config/target-settings.ts';
import { type RunSettings, readRun, readWatchdog, type WatchdogSettings } from '../config/watchdog-settings.ts';
import { findCycle } from '../core/fleet.ts';
import type { RunAs } from '../system/child.ts';
import { originalOpenFilesLimit } from '../system/descriptors.ts';
import { lockName } from '../system/instance-lock.ts';
import { ownCommand, ownExecutable } from '../system/own-process.ts';
import { withoutLinks } from '../system/paths.ts';
import { findUser, gidOf, groupsOf, uidOf, userName } from '../system/users.ts';
import { VERSION } from '../version.ts';
import { type ControlPlace, findControlPlace, socketPath } from './control-place.ts';
import type { LoadedConfig } from './load-config.ts';
import { findLogPlace } from './log-place.ts';
import type { LookPlan, Plan, TargetPlan } from './plan.ts';
import { toAbsolute, whyUnusableDirectory, whyUnwritable } from './preflight.ts';
import { unsafeCommand } from './safety.ts';

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
  const { isDryRun } = run;
  const { trustsPaths } = watchdog;
  const { problems, targets } = await makeTargets(wishes, { isDryRun, trustsPaths }, environment);
  return { watchdog, run, targets, problems: [...problems, ...own.problems] };
}

/** Where the watchdog of these wishes is reached, without a word on whether it is there; `null`: nowhere. */
export function controlPlaceOf(wishes: Wishes, environment: NodeJS.ProcessEnv): string | null {
  const settings = readWatchdog(commandLineReader(wishes.watchdog));
  return socketPath(settings, lockKey(wishes, settings, []), environment, ownerOf(settings));
}

/** Makes the plans of the targets alone. */
async function makeTargets(
  wishes: Wishes,
  { isDryRun, trustsPaths }: { readonly isDryRun: boolean; readonly trustsPaths: boolean },
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly targets: readonly TargetPlan[]; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const targets: TargetPlan[] = [];
  const readers = new Map<TargetPlan, Reader>();
  for (const wish of wishes.targets) {
    const reader = readerOf(wishes, wish);
    const select = await readSelect(reader);
    const settings = readTarget(reader);
    const look = toLookPlan(reader, select);
    checkDirectory(reader, settings);
    const user = findRunAs(reader, settings);
    if (!trustsPaths) checkCommands(reader, settings, user?.uid ?? null);
    const target = toTargetPlan(wish.name, select, settings, look, isDryRun, environment, user);
    targets.push(target);
    readers.set(target, reader);
    problems.push(...reader.problems);
  }
  if (wishes.config !== null && problems.length === 0) problems.push(...checkTogether(targets, readers));
  return { targets, problems };
}

function readerOf({ config }: Wishes, { given, place }: GivenTarget): Reader {
  return config === null
    ? commandLineReader(given)
    : { given, problems: [], missing: (name) => `${place}.${name}`, spell: (name) => name };
}

/** What to look for, with users and paths as this machine has them. */
export function toLookPlan(reader: Reader, select: SelectSettings): LookPlan {
  const note = (problem: Problem): number => reader.problems.push(problem);
  const uids = select.owners?.flatMap((user) => {
    const uid = user === '' ? null : uidOf(user);
    if (uid === null && user !== '') note({ where: placeOf(reader, 'owner'), what: `there is no user "${user}" here` });
    return uid === null ? [] : [uid];
  });
  const pidFile = select.pidFile === null ? null : toAbsolute(placeOf(reader, 'pid-file'), select.pidFile);
  if (pidFile !== null && 'problem' in pidFile) note(pidFile.problem);
  return {
    pattern: select.pattern,
    uids: uids ?? null,
    exe: select.exe === null ? null : withoutLinks(select.exe),
    pidFile: pidFile !== null && 'path' in pidFile ? pidFile.path : null,
    min: select.min,
  };
}

function checkDirectory(reader: Reader, { cwd }: TargetSettings): void {
  reader.problems.push(...whyUnusableDirectory(placeOf(reader, 'cwd'), cwd));
}

function toTargetPlan(
  name: string,
  select: SelectSettings,
  settings: TargetSettings,
  look: LookPlan,
  isDryRun: boolean,
  environment: NodeJS.ProcessEnv,
  user: UserOf | null,
): TargetPlan {
  const label = name === '' ? (select.pattern?.text ?? select.pidFile ?? '') : name;
  const set = { ...user?.variables, ...Object.fromEntries(settings.env) };
  return {
    rules: {
      label,
      name: label,
      recover: settings.recover,
      recoverPath: set.PATH ?? environment.PATH ?? '',
      min: select.min,
      max: select.max,
      intervalMs: settings.intervalMs,
      confirmMs: settings.confirmMs,
      startDelayMs: settings.startDelayMs,
      startGraceMs: settings.startGraceMs,
      settleMs: settings.settleMs,
      recoverTimeoutMs: settings.recoverTimeoutMs,
      backoff: settings.backoff,
      stop: settings.stop,
      dryRun: isDryRun,
    },
    look,
    reload: settings.reload,
    dependsOn: settings.dependsOn,
    groups: settings.groups,
    cwd: settings.cwd === null ? null : resolve(settings.cwd),
    set,
    user: user === null ? null : { uid: user.uid, gid: user.gid, groups: user.groups },
    restraint: settings.restraint,
    notify: settings.notify,
  };
}

/** The user of a target's commands, and what it finds itself to be by its variables. */
interface UserOf extends RunAs {
  readonly variables: Readonly<Record<string, string>>;
}

function findRunAs(reader: Reader, { group, user: wanted }: TargetSettings): UserOf | null {
  const note = (name: 'user' | 'group', what: string): null => {
    reader.problems.push({ where: placeOf(reader, name), what });
    return null;
  };
  const self = process.geteuid?.() ?? 0;
  if (wanted === null && group === null) return null;
  const user = findUser(wanted ?? String(self));
  if (user === null) return note('user', `there is no user "${wanted}" here`);
  const gid = group === null ? user.gid : gidOf(group);
  if (gid === null) return note('group', `there is no group "${group}" here; or did you mean groups = ["${group}"]?`);
  if (user.uid === self && gid === process.getegid?.()) return null;
  if (self !== 0)
    return note(
      wanted === null ? 'group' : 'user',
      'only root can run commands as another user; start the watchdog as root',
    );
  const variables = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell };
  return { uid: user.uid, gid, groups: [...new Set([gid, ...groupsOf(user)])], variables };
}

/** As root, what could be changed by others is not run. */
function checkCommands(
  reader: Reader,
  { cwd, notify, recover, reload, stop }: TargetSettings,
  runAs: number | null,
): void {
  const commands = [
    ['recover', recover],
    ['stop', stop.command],
    ['on-event', notify.onEvent],
    ['reload', 'command' in reload ? reload.command : null],
  ] as const;
  for (const [name, command] of commands) {
    if (command !== null) reader.problems.push(...unsafeCommand(placeOf(reader, name), command, cwd, runAs));
  }
}

/** What can only be wrong between targets. */
function checkTogether(targets: readonly TargetPlan[], readers: ReadonlyMap<TargetPlan, Reader>): readonly Problem[] {
  const problems: Problem[] = [];
  const names = targets.map(({ rules }) => rules.name);
  const looks = new Map<string, string>();
  for (const target of targets) {
    const reader = readers.get(target) as Reader;
    const { name } = target.rules;
    for (const other of target.dependsOn) {
      const where = placeOf(reader, 'depends-on');
      if (!names.includes(other)) {
        problems.push({ where, what: `there is no target "${other}"${hint(other, names, 'targets')}` });
      }
    }
    const key = JSON.stringify(target.look);
    const twin = looks.get(key);
    if (twin === undefined) looks.set(key, name);
    else {
      const where = placeOf(reader, target.look.pattern === null ? 'pid-file' : 'pattern');
      problems.push({
        where,
        what: `looks for the same as target ${twin}; two targets must differ in what they look for`,
      });
    }
  }
  const cycle = findCycle(new Map(targets.map(({ dependsOn, rules }) => [rules.name, dependsOn])));
  const first = targets.find(({ rules }) => rules.name === cycle?.[0]);
  if (cycle !== null && first !== undefined) {
    const what = `goes round in a circle: ${cycle.join(' → ')}; none of them could ever be recovered`;
    problems.push({ where: placeOf(readers.get(first) as Reader, 'depends-on'), what });
  }
  return problems;
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
  const named = targets.map((target) => (wishes.config === null ? withName(target, watchdog.name) : target));
  return {
    targets: named,
    name: watchdog.name,
    label: wishes.config === null ? (named[0]?.rules.label ?? '') : (watchdog.name ?? 'watchdog'),
    config: wishes.config,
    given: wishes.config === null ? {} : wishes.given,
    control: control.path,
    controlTrouble: control.why,
    saved: control.saved,
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
