/** From what the user gave for each target to its plan, with all that only this machine can tell to be wrong. */
import { basename, resolve } from 'node:path';
import { isatty } from 'node:tty';
import type { GivenTarget } from '../config/file.ts';
import { hint, type Problem } from '../config/given.ts';
import type { ProgramSettings } from '../config/program-settings.ts';
import { commandLineReader, placeOf, type Reader } from '../config/reader.ts';
import { readSelect, type SelectSettings } from '../config/select-settings.ts';
import { readTarget, type TargetSettings } from '../config/target-settings.ts';
import { findCycle } from '../core/fleet.ts';
import type { RunAs } from '../system/child.ts';
import { withoutLinks } from '../system/paths.ts';
import { findUser, gidOf, groupsOf, uidOf } from '../system/users.ts';
import { isByFamily, type LookPlan, type TargetPlan } from './plan.ts';
import { toAbsolute, whyUnusableDirectory } from './preflight.ts';
import { isForeground, type ProgramContext, toProgramPlan, whyNoOutputs } from './program-plan.ts';
import { unsafeCommand } from './safety.ts';

/** What holds for all targets of a watch. */
export interface Common extends ProgramContext {
  readonly isDryRun: boolean;
  readonly trustsPaths: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

/** Makes the plans of the targets, and collects all that is wrong. */
export async function makeTargets(
  wishes: readonly GivenTarget[],
  common: Common,
): Promise<{ readonly targets: readonly TargetPlan[]; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const copies = new Map<string, readonly TargetPlan[]>();
  const readers = new Map<TargetPlan, Reader>();
  for (const wish of wishes) {
    const reader = readerOf(common.config, wish);
    const select = await readSelect(reader);
    const settings = readTarget(reader);
    const look = toLookPlan(reader, select);
    reader.problems.push(...whyUnusableDirectory(placeOf(reader, 'cwd'), settings.cwd));
    reader.problems.push(...whyNoOutputs(reader, settings.program?.output ?? null, common));
    const user = findRunAs(reader, settings);
    if (!common.trustsPaths) checkCommands(reader, settings, user?.uid ?? null);
    const targets = toTargetPlans(wish.name, select, settings, look, common, user);
    copies.set(wish.name, targets);
    for (const target of targets) readers.set(target, reader);
    problems.push(...reader.problems);
  }
  const targets = [...readers.keys()];
  if (common.config !== null && problems.length === 0) problems.push(...checkTogether(copies, readers));
  const named = targets.map((target) => ({
    ...target,
    dependsOn: target.dependsOn.flatMap((name) => copies.get(name)?.map(({ rules }) => rules.name) ?? [name]),
  }));
  return { targets: named, problems };
}

function readerOf(config: string | null, { given, place }: GivenTarget): Reader {
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

/** One, or as many copies of a program as there shall be. */
function toTargetPlans(
  name: string,
  select: SelectSettings,
  settings: TargetSettings,
  look: LookPlan,
  common: Common,
  user: UserOf | null,
): readonly TargetPlan[] {
  const { program } = settings;
  const base = name === '' ? labelOf(select, program) : name;
  const count = program?.numprocs ?? 1;
  if (count === 1) return [toTargetPlan(base, null, select, settings, look, common, user)];
  return Array.from({ length: count }, (_, at) => toTargetPlan(base, at + 1, select, settings, look, common, user));
}

/** What a target of the command line is called: by what it is looked for, or the program's own name. */
function labelOf({ pattern, pidFile }: SelectSettings, program: ProgramSettings | null): string {
  if (program === null) return pattern?.text ?? pidFile ?? '';
  return basename(program.args[0] ?? program.shown.trim().split(/\s+/)[0] ?? '');
}

/** `number`: which of several copies it is; `null` where there is only one. */
function toTargetPlan(
  base: string,
  number: number | null,
  select: SelectSettings,
  settings: TargetSettings,
  look: LookPlan,
  common: Common,
  user: UserOf | null,
): TargetPlan {
  const label = number === null ? base : `${base}-${number}`;
  const numbered: Record<string, string> = number === null ? {} : { WATCHDOG_NUMBER: String(number) };
  const set = { ...user?.variables, ...numbered, ...Object.fromEntries(settings.env) };
  const { program } = settings;
  return {
    rules: {
      label,
      name: label,
      recover: settings.recover,
      recoverPath: set.PATH ?? common.environment.PATH ?? '',
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
      program: program === null ? null : { ...program.rule, isAtTerminal: isForeground(program, common) && isatty(0) },
      dryRun: common.isDryRun,
    },
    look,
    program: program === null ? null : toProgramPlan(label, number, program, settings.restraint, common),
    isRetired: false,
    reload: settings.reload,
    dependsOn: settings.dependsOn,
    groups: number === null ? settings.groups : [base, ...settings.groups],
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
  { cwd, notify, program, recover, reload, stop }: TargetSettings,
  runAs: number | null,
): void {
  const commands = [
    [program === null ? 'recover' : 'command', recover],
    ['stop', stop.command],
    ['on-event', notify.onEvent],
    ['reload', 'command' in reload ? reload.command : null],
  ] as const;
  for (const [name, command] of commands) {
    if (command !== null) reader.problems.push(...unsafeCommand(placeOf(reader, name), command, cwd, runAs));
  }
}

/** What can only be wrong between targets. */
function checkTogether(
  copies: ReadonlyMap<string, readonly TargetPlan[]>,
  readers: ReadonlyMap<TargetPlan, Reader>,
): readonly Problem[] {
  const problems: Problem[] = [];
  // Of several copies one stands for all.
  const targets = [...copies].flatMap(([, [target]]) => target ?? []);
  const names = [...copies.keys()];
  const nameOf = new Map([...copies].flatMap(([name, all]) => all.map((target) => [target, name] as const)));
  const looks = new Map<string, string>();
  for (const target of targets) {
    const reader = readers.get(target) as Reader;
    const name = nameOf.get(target) ?? '';
    const clash = copies.get(name)?.find(({ rules }) => rules.name !== name && names.includes(rules.name));
    if (clash !== undefined) {
      const what = `makes a target ${clash.rules.name}, and there is another one of that name`;
      problems.push({ where: placeOf(reader, 'numprocs'), what });
    }
    for (const other of target.dependsOn) {
      const where = placeOf(reader, 'depends-on');
      if (!names.includes(other)) {
        problems.push({ where, what: `there is no target "${other}"${hint(other, names, 'targets')}` });
      }
    }
    if (isByFamily(target.look, target.program)) continue;
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
  const cycle = findCycle(new Map(targets.map((target) => [nameOf.get(target) ?? '', target.dependsOn])));
  const first = targets.find((target) => nameOf.get(target) === cycle?.[0]);
  if (cycle !== null && first !== undefined) {
    const what = `goes round in a circle: ${cycle.join(' → ')}; none of them could ever be recovered`;
    problems.push({ where: placeOf(readers.get(first) as Reader, 'depends-on'), what });
  }
  return problems;
}
