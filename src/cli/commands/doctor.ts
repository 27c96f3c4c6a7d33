import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPTION_SPECS } from '../../config/options.ts';
import { findLogPlace } from '../../plan/log-place.ts';
import { readWishes } from '../../plan/make-plan.ts';
import { type TargetPlan, toOnlooker, toWanted } from '../../plan/plan.ts';
import { errorCode } from '../../system/errors.ts';
import { findKeeper } from '../../system/keepers.ts';
import { lookAround } from '../../system/look.ts';
import { ownExecutable } from '../../system/own-process.ts';
import { isAllowed } from '../../system/paths.ts';
import { openProcFiles } from '../../system/proc-file.ts';
import { hasEnded, parseStat } from '../../system/proc-stat.ts';
import { openProcessTable, type ProcessTable } from '../../system/process-table.ts';
import { exitCode } from '../exit-codes.ts';
import { chooseHost } from '../host-choice.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';
import { configPath, toWishes } from '../wishes.ts';

/** Tells how a watch would wait on this machine, and all that will hinder it: exit code 1 if there is anything. */
export async function doctor(invocation: Invocation): Promise<number> {
  const { environment, given, problems } = invocation;
  if (problems.length > 0) return refuse(problems);
  const isResident = given.resident?.value === true;
  const choice = chooseHost({ isResident, isOnce: false, processTable: null }, environment);
  const lines =
    choice.kind === 'sentinel'
      ? [`host: sentinel, executed from ${choice.where}`, ...choice.reasons.map((reason) => `  not from ${reason}`)]
      : [`host: resident, ${choice.why.split(':')[0]}`, ...choice.reasons.map((reason) => `  ${reason}`)];
  const table = openProcessTable(null);
  const trouble = (await table.scan(() => false)).troubleFor(null);
  lines.push(`process table: ${table.kind === 'proc' ? '/proc' : 'ps'}${trouble === null ? '' : `, but ${trouble}`}`);
  const hindrances = [...(trouble === null ? [] : [trouble]), ...(await findReaperTrouble())];
  const hasTarget = OPTION_SPECS.some(({ name, scope }) => scope === 'target' && name in given);
  if (hasTarget || configPath(given, environment) !== null) {
    const checked = await checkWatch(invocation, table);
    if ('code' in checked) return checked.code;
    hindrances.push(...checked.hindrances);
    lines.push(`targets: ${checked.names.join(', ')}`);
  }
  lines.push(...hindrances.map((what) => `hindrance: ${what}`));
  print(`${lines.join('\n')}\n`);
  return exitCode(hindrances.length === 0 ? 'ok' : 'down');
}

/** Orphans that have ended stay zombies where process 1 takes no notice of them; some take it late. */
async function findReaperTrouble(): Promise<readonly string[]> {
  const first = zombiesOfInit();
  if (first.length < MANY_ZOMBIES) return [];
  await sleep(REAP_MS);
  const after = zombiesOfInit();
  const left = first.filter((one) => after.includes(one));
  if (left.length < MANY_ZOMBIES) return [];
  return [
    `process 1 does not reap orphans: ${left.length} of its children are zombies; start the container with an init, or with watchdog itself`,
  ];
}

/** Fewer say nothing: somebody may wait for each of them in his own time. */
const MANY_ZOMBIES = 3;
const REAP_MS = 2_000;

/** By number and start time. */
function zombiesOfInit(): readonly string[] {
  const read = openProcFiles();
  const children = read('/proc/1/task/1/children');
  const pids = 'text' in children ? children.text.split(' ').filter((word) => word !== '') : [];
  return pids.flatMap((pid) => {
    const text = read(`/proc/${pid}/stat`);
    const stat = 'text' in text ? parseStat(text.text) : null;
    return stat !== null && hasEnded(stat) ? [`${pid} ${stat.startTime}`] : [];
  });
}

async function checkWatch(
  invocation: Invocation,
  table: ProcessTable,
): Promise<{ readonly hindrances: readonly string[]; readonly names: readonly string[] } | { readonly code: number }> {
  const { problems, wishes } = toWishes(invocation);
  const { problems: more, targets, watchdog } = await readWishes(wishes, invocation.environment);
  if (problems.length + more.length > 0) return { code: refuse([...problems, ...more]) };
  const hindrances: string[] = [];
  const log = findLogPlace(watchdog.log, watchdog.logPlace, invocation.environment);
  if ('problem' in log) hindrances.push(`the log cannot be written: ${log.problem.what}`);
  for (const target of targets) {
    hindrances.push(...findMissingProgram(target), ...(await findOthers(target, table, invocation)));
  }
  return { hindrances, names: targets.map(({ rules }) => rules.name) };
}

/** The first word of what starts it, if that is a plain one. */
function findMissingProgram({ cwd, program, rules }: TargetPlan): readonly string[] {
  const words = (program?.args[0] ?? rules.recover).trim().split(/\s+/);
  const word = words.find((one) => one !== 'exec' && !/^[A-Za-z_]\w*=/.test(one)) ?? '';
  if (!/^[A-Za-z0-9_@%+:,./-]+$/.test(word) || SHELL_WORDS.has(word)) return [];
  const found = word.includes('/')
    ? isAllowed(resolve(cwd ?? '.', word))
    : rules.recoverPath.split(':').some((directory) => isAllowed(resolve(directory || '.', word)));
  if (found) return [];
  const where = word.includes('/') ? 'is not there' : `is in no directory of PATH (${rules.recoverPath})`;
  return [`${rules.name}: ${word} ${where}; use an absolute path or env = { PATH = … }`];
}

const SHELL_WORDS: ReadonlySet<string> = new Set(
  '. : case cd command echo eval exit export false for if kill printf set test time trap true ulimit umask until wait while'.split(
    ' ',
  ),
);

async function findOthers(
  target: TargetPlan,
  table: ProcessTable,
  { arguments: args }: Invocation,
): Promise<readonly string[]> {
  const wanted = await toWanted(target.look, target.program);
  if (wanted.isByFamily) return [];
  const onlooker = toOnlooker({ processTable: null, arguments: args.join(' '), exe: ownExecutable() }, []);
  const { matches } = await lookAround(onlooker, wanted);
  const hindrances: string[] = [];
  for (const record of matches) {
    const keeper = await findKeeper(record, table);
    if (keeper === null || isOurs(record.ppid)) continue;
    hindrances.push(
      `${target.rules.name}: process ${record.pid} is kept by ${keeper} already, which will start it too; leave it to one of the two`,
    );
    break;
  }
  return hindrances;
}

function isOurs(ppid: number): boolean {
  try {
    return readFileSync(`/proc/${ppid}/comm`, 'latin1').trim() === 'watchdog';
  } catch (error) {
    errorCode(error);
    return false;
  }
}
