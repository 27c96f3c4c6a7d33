import { freshMemory, memoryWriter } from '../../brain/memory.ts';
import { notHeld, refusal } from '../../brain/refusal.ts';
import { standingOf } from '../../brain/standing.ts';
import { titleMaker } from '../../brain/title.ts';
import { watchOn } from '../../brain/watch.ts';
import { STAGE_VARIABLE } from '../../config/environment.ts';
import type { Host } from '../../host/host.ts';
import { openResidentHost } from '../../host/resident.ts';
import { formatHandover } from '../../host/sentinel-protocol.ts';
import { makePlan, readWishes } from '../../plan/make-plan.ts';
import { keptOutputOf, type Plan, toWanted } from '../../plan/plan.ts';
import { closeInherited } from '../../system/descriptors.ts';
import { becomeSentinel } from '../../system/execve.ts';
import { takeInstanceLock } from '../../system/instance-lock.ts';
import { openProcessTable } from '../../system/process-table.ts';
import { giveUpStreams } from '../../system/streams.ts';
import { leadSession, startInBackground } from '../daemon.ts';
import { exitCode } from '../exit-codes.ts';
import { chooseHost } from '../host-choice.ts';
import { printError } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';
import { applyRunAs } from '../run-as.ts';
import { toWishes } from '../wishes.ts';

/** Watches until told to stop, or once. */
export async function watch(invocation: Invocation): Promise<number> {
  const environment = { ...invocation.environment };
  const stage = environment[STAGE_VARIABLE];
  if (invocation.given.daemon?.value === true && stage !== 'daemon') {
    return stage === 'leader' ? leadSession(invocation.arguments) : startInBackground(invocation.arguments);
  }
  delete environment[STAGE_VARIABLE];
  delete process.env[STAGE_VARIABLE];
  const { problems, wishes } = toWishes(invocation);
  if (problems.length > 0) return refuse([...problems, ...(await readWishes(wishes, environment)).problems]);
  const became = applyRunAs(wishes.watchdog, wishes.config);
  if (became.kind === 'refused') return refuse([became.problem]);
  if (became.kind === 'failed') return notPermitted(became.why);
  const planned = await makePlan(wishes, { ...invocation, environment: { ...process.env } });
  if (planned.kind === 'refused') {
    return planned.mayNot ? notPermitted(planned.problems[0]?.what ?? '') : refuse(planned.problems);
  }
  const { plan, run, watchdog } = planned;
  if (plan.isDaemon) process.chdir('/');
  const choice = chooseHost({ ...watchdog, ...run }, process.env);
  return choice.kind === 'sentinel' ? becomeSentinelOf(plan, choice.path) : stay(plan, run.isOnce, choice.why);
}

/** Hands all over to the sentinel, which starts the first brain. */
async function becomeSentinelOf(plan: Plan, path: string): Promise<never> {
  const title = await firstTitle(plan);
  const nothing = {
    isReady: false,
    isPatient: false,
    forwards: plan.forwards !== null,
    watch: [],
    deadlineMs: null,
    starts: [],
    taps: [],
    replaces: [],
    signals: [],
    kills: [],
    end: 'stay',
  } as const;
  const state = memoryWriter()(freshMemory(plan));
  const handover = formatHandover(
    { ...standingOf(plan), ...nothing, state, title },
    { lock: plan.lock, control: plan.control },
  );
  return becomeSentinel(path, title, handover);
}

/** How we show ourselves before the first look: our own command line would match. */
async function firstTitle(plan: Plan): Promise<string> {
  const all = await Promise.all(plan.targets.map(({ look, program }) => toWanted(look, program)));
  return titleMaker(plan.name, (text) => all.some(({ selector }) => selector.matches?.(text)))('starting');
}

/** Waits and watches in one process. */
async function stay(plan: Plan, isOnce: boolean, why: string): Promise<number> {
  const lock = await takeInstanceLock(plan.lock);
  if (lock.kind === 'taken') {
    if (!plan.isQuiet) printError(`${refusal(lock.pid, plan.config ?? plan.label)}\n`);
    return exitCode('alreadyRunning');
  }
  closeInherited();
  process.title = await firstTitle(plan);
  const warnings = [
    ...(lock.kind === 'unavailable' ? [notHeld(lock.why)] : []),
    ...(process.pid === 1 ? [REAPER_WARNING] : []),
    ...(plan.targets.some(({ program }) => (keptOutputOf(program)?.maxBytes ?? 0) > 0) ? [OUTPUT_WARNING] : []),
  ];
  const host = openStayingHost(plan, why);
  const outcome = await watchOn(freshMemory(plan), host, { isOnce, warnings, onPlan: () => {} });
  if (outcome.kind === 'over') return outcome.status;
  return exitCode(outcome.kind === 'once' && outcome.targets !== 'up' ? outcome.targets : 'ok');
}

const REAPER_WARNING =
  'running as process 1 without the sentinel, every orphan of this container that ends stays a zombie; ' +
  'start the container with an init (docker run --init) or share the PID namespace';

const OUTPUT_WARNING =
  'without the sentinel the output files of programs are not put aside, whatever their size (output-max-size)';

function openStayingHost({ control, isDaemon, onlooker, start }: Plan, why: string): Host {
  const canWatch = openProcessTable(onlooker.processTable).kind === 'proc';
  const how = canWatch ? 'a death is noticed within 100ms' : 'ps is asked every interval';
  return openResidentHost({
    canWatch,
    control,
    onReady: isDaemon ? giveUpStreams : () => {},
    description: `staying in memory (${why}), ${how}`,
    openFilesLimit: start.openFilesLimit,
  });
}

function notPermitted(what: string): number {
  printError(`watchdog: ${what}\n`);
  return exitCode('notPermitted');
}
