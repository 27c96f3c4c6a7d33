import { freshMemory, memoryWriter } from '../../brain/memory.ts';
import type { Plan } from '../../brain/plan.ts';
import { toQuestion } from '../../brain/plan.ts';
import { notHeld, refusal } from '../../brain/refusal.ts';
import { standingOf } from '../../brain/standing.ts';
import { watchOn } from '../../brain/watch.ts';
import { readSelect, readWatch, type WatchSettings } from '../../config/settings.ts';
import { processTitle } from '../../core/watchdog-process.ts';
import type { Host } from '../../host/host.ts';
import { openResidentHost } from '../../host/resident.ts';
import { formatHandover } from '../../host/sentinel-protocol.ts';
import { closeInherited } from '../../system/descriptors.ts';
import { becomeSentinel } from '../../system/execve.ts';
import { takeInstanceLock } from '../../system/instance-lock.ts';
import { openProcessTable } from '../../system/process-table.ts';
import { exitCode } from '../exit-codes.ts';
import { chooseHost } from '../host-choice.ts';
import { findLogPlace } from '../log-place.ts';
import { printError } from '../output.ts';
import { toLookPlan, toPlan } from '../plan.ts';
import { whyUnusableDirectory } from '../preflight.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';

/** Watches one target until told to stop, or once. */
export async function watch(invocation: Invocation): Promise<number> {
  const { environment } = invocation;
  const { select, problems } = await readSelect(invocation.raw);
  const { watch: settings, problems: more } = readWatch(invocation.raw);
  const { look, problems: evenMore } = toLookPlan(select, invocation.arguments, settings.recover);
  const all = [
    ...invocation.problems,
    ...problems,
    ...more,
    ...evenMore,
    ...whyUnusableDirectory('--cwd', settings.cwd),
  ];
  if (all.length > 0) return refuse(all);
  const place = findLogPlace(settings.log, environment);
  if ('problem' in place) return place.mayNot ? notPermitted(place.problem.what) : refuse([place.problem]);
  const plan = toPlan(select, settings, look, place.path, environment);
  const choice = chooseHost({ ...settings, processTable: select.processTable }, environment);
  return choice.kind === 'sentinel' ? becomeSentinelOf(plan, choice.path) : stay(plan, settings, choice.why);
}

/** Hands all over to the sentinel, which starts the first brain. */
async function becomeSentinelOf(plan: Plan, path: string): Promise<never> {
  const title = await firstTitle(plan);
  const nothing = { watch: [], deadlineMs: null, starts: [], signals: [], end: 'stay' } as const;
  const state = memoryWriter(plan)(freshMemory(plan));
  const handover = formatHandover(
    { ...standingOf(plan), ...nothing, state, title },
    { lock: plan.lock, control: null },
  );
  return becomeSentinel(path, title, handover);
}

/** How we show ourselves before the first look: our own command line would match. */
async function firstTitle(plan: Plan): Promise<string> {
  const { matches } = (await toQuestion(plan.look)).selector;
  return processTitle(plan.name, 'starting', (text) => matches?.(text) !== true);
}

/** Waits and watches in one process. */
async function stay(plan: Plan, settings: WatchSettings, why: string): Promise<number> {
  const lock = await takeInstanceLock(plan.lock);
  if (lock.kind === 'taken') {
    if (!settings.isQuiet) printError(`${refusal(lock.pid, plan.target.label)}\n`);
    return exitCode('alreadyRunning');
  }
  closeInherited();
  process.title = await firstTitle(plan);
  const warnings = [
    ...(lock.kind === 'unavailable' ? [notHeld(lock.why)] : []),
    ...(process.pid === 1 ? [REAPER_WARNING] : []),
  ];
  const host = openStayingHost(plan, why);
  const outcome = await watchOn(freshMemory(plan), host, { isOnce: settings.isOnce, warnings });
  return exitCode(outcome === 'down' || outcome === 'unknown' ? outcome : 'ok');
}

const REAPER_WARNING =
  'running as process 1 without the sentinel, every orphan of this container that ends stays a zombie; ' +
  'start the container with an init (docker run --init) or share the PID namespace';

function openStayingHost(plan: Plan, why: string): Host {
  const canWatch = openProcessTable(plan.look.processTable).kind === 'proc';
  const how = canWatch ? 'a death is noticed within 100ms' : 'ps is asked every interval';
  return openResidentHost({
    canWatch,
    description: `staying in memory (${why}), ${how}`,
    openFilesLimit: plan.recovery.openFilesLimit,
  });
}

function notPermitted(what: string): number {
  printError(`watchdog: ${what}\n`);
  return exitCode('notPermitted');
}
