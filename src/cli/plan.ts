/** From what the user gave to the plan of a watch, with all that only this machine can tell to be wrong. */
import { randomInt } from 'node:crypto';
import { isatty } from 'node:tty';
import type { LookPlan, Plan } from '../brain/plan.ts';
import { OWN_VARIABLES } from '../config/environment.ts';
import type { Problem } from '../config/problem.ts';
import type { SelectSettings, WatchSettings } from '../config/settings.ts';
import { originalOpenFilesLimit } from '../system/descriptors.ts';
import { lockName } from '../system/instance-lock.ts';
import { ownCommand, ownExecutable } from '../system/own-process.ts';
import { withoutLinks } from '../system/paths.ts';
import { uidOf, userName } from '../system/users.ts';
import { VERSION } from '../version.ts';
import { toAbsolute } from './preflight.ts';

/** What a brain calls itself from its first instruction on, and the argument that makes it one. */
export const BRAIN_TITLE = 'watchdog: brain';
export const BRAIN_ARGUMENT = 'brain';

/** What to look for. What is wrong with it is added to the problems. */
export function toLookPlan(
  select: SelectSettings,
  args: readonly string[],
  recover: string | null,
): { readonly look: LookPlan; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const uids = select.users?.flatMap((user) => {
    const uid = user === '' ? null : uidOf(user);
    if (uid === null && user !== '') problems.push({ where: '--user', what: `there is no user "${user}" here` });
    return uid === null ? [] : [uid];
  });
  const pidFile = select.pidFile === null ? null : toAbsolute('--pid-file', select.pidFile);
  if (pidFile !== null && 'problem' in pidFile) problems.push(pidFile.problem);
  const look: LookPlan = {
    pattern: select.pattern,
    uids: uids ?? null,
    exe: select.exe === null ? null : withoutLinks(select.exe),
    pidFile: pidFile !== null && 'path' in pidFile ? pidFile.path : null,
    min: select.min,
    processTable: select.processTable,
    ownArguments: args.join(' '),
    ownExe: ownExecutable(),
    recover,
  };
  return { look, problems };
}

/** The whole plan. `logPath`: `null` for standard output. */
export function toPlan(
  select: SelectSettings,
  settings: WatchSettings,
  look: LookPlan,
  logPath: string | null,
  environment: NodeJS.ProcessEnv,
): Plan {
  const label = select.pattern?.text ?? select.pidFile ?? '';
  const set = Object.fromEntries(settings.env);
  return {
    target: {
      label,
      name: settings.name ?? label,
      recover: settings.recover,
      recoverPath: set.PATH ?? environment.PATH ?? '',
      min: select.min,
      intervalMs: settings.intervalMs,
      confirmMs: settings.confirmMs,
      startDelayMs: settings.startDelayMs,
      startGraceMs: settings.startGraceMs,
      settleMs: settings.settleMs,
      recoverTimeoutMs: settings.recoverTimeoutMs,
      backoff: settings.backoff,
      dryRun: settings.isDryRun,
    },
    name: settings.name,
    look,
    recovery: {
      cwd: settings.cwd,
      set,
      unset: Object.keys(environment).filter((name) => OWN_VARIABLES.has(name)),
      openFilesLimit: originalOpenFilesLimit(),
    },
    log: { path: logPath, format: settings.logFormat, isShown: !settings.isQuiet && logPath !== null && isatty(2) },
    lingerMs: settings.lingerMs,
    isQuiet: settings.isQuiet,
    lock: lockName(lockKey(select, settings)),
    seed: randomInt(2 ** 32),
    beginning: {
      version: VERSION,
      user: userName(process.geteuid?.() ?? 0),
      directory: currentDirectory(),
    },
    ...ownCommand(BRAIN_TITLE, BRAIN_ARGUMENT),
  };
}

/** What makes two watches the same: the name, where one is given, else all that says what to look for. */
function lockKey(select: SelectSettings, settings: WatchSettings): string {
  const { pattern, pidFile, users, exe } = select;
  return settings.name === null
    ? JSON.stringify({ pattern, pidFile, users, exe })
    : JSON.stringify({ name: settings.name });
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // Removed under our feet: it can be worked in, but has no name any more.
    return '(removed)';
  }
}
