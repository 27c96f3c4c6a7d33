import type { Given, Problem } from '../../config/given.ts';
import { OPTION_SPECS, type OptionName } from '../../config/options.ts';
import type { StatusAnswer } from '../../control/protocol.ts';
import { lockOf, ownerOf, readWishes } from '../../plan/make-plan.ts';
import { findHolder } from '../../system/lock-holder.ts';
import { startInBackground } from '../daemon.ts';
import { exitCode } from '../exit-codes.ts';
import { print, printError } from '../output.ts';
import { refuse } from '../refuse.ts';
import { toRequest } from '../request.ts';
import type { Invocation } from '../run.ts';
import { untilGone } from '../until-gone.ts';
import { askAll } from '../watchdogs.ts';
import { configPath, toWishes } from '../wishes.ts';

/** Starts the watchdog in the background. That one is there already is what was wanted. */
export async function startWatchdog(invocation: Invocation): Promise<number> {
  const holder = await findRunning(asDaemon(invocation));
  if (holder !== null && typeof holder === 'object') return holder.code;
  if (holder !== null) {
    print(`watchdog: already at work, pid ${holder}\n`);
    return exitCode('ok');
  }
  return begin(invocation.arguments.slice(1));
}

/** Ends the watchdog and waits until it is gone. That none is there is what was wanted. */
export async function stopWatchdog(invocation: Invocation): Promise<number> {
  if (invocation.problems.length > 0) return refuse(invocation.problems);
  const isNamed = configPath(invocation.given, {}) !== null;
  const pid = isNamed ? await findStarted(invocation) : await findOnly(invocation);
  if (pid !== null && typeof pid === 'object') return pid.code;
  if (pid === null) {
    print('watchdog: none is at work\n');
    return exitCode('ok');
  }
  return end(pid);
}

/** Ends it and starts it again: with what is given now, or as it was started before. */
export async function restartWatchdog(invocation: Invocation): Promise<number> {
  const hasOwn = OPTION_SPECS.some(
    ({ name, scope }) => (scope === 'target' || name === 'config') && name in invocation.given,
  );
  if (hasOwn) {
    const running = await findRunning(asDaemon(invocation));
    if (typeof running === 'object' && running !== null) return running.code;
    const code = running === null ? exitCode('ok') : await end(running);
    return code === exitCode('ok') ? begin(invocation.arguments.slice(1)) : code;
  }
  const problems = [...invocation.problems, ...refuseAlone(invocation.given)];
  if (problems.length > 0) return refuse(problems);
  const asked = await askAll(invocation, toRequest('status', { ...invocation, words: [] }));
  if ('code' in asked) return asked.code;
  const [only, ...others] = asked.answers.map(({ body }) => (body as StatusAnswer).watchdog);
  if (only === undefined || others.length > 0) return tooMany();
  const code = await end(only.pid);
  return code === exitCode('ok') ? begin(only.arguments, only.directory) : code;
}

async function begin(args: readonly string[], directory?: string): Promise<number> {
  const all = args.includes('--daemon') ? args : ['--daemon', ...args];
  const code = await startInBackground(all, directory);
  if (code === exitCode('ok')) print('watchdog: at work in the background\n');
  return code;
}

/** The pid of the one that watches what is asked for, by its lock; `null` if none does. Nothing is opened or made for that. */
async function findRunning(invocation: Invocation): Promise<number | null | { readonly code: number }> {
  const { problems, wishes } = toWishes(invocation);
  const { problems: more, targets, watchdog } = await readWishes(wishes, invocation.environment);
  if (problems.length + more.length > 0) return { code: refuse([...problems, ...more]) };
  return findHolder(lockOf(wishes, watchdog, targets), ownerOf(watchdog));
}

/** The same where it is to be stopped: whatever has become of its configuration since. */
async function findStarted(invocation: Invocation): Promise<number | null> {
  const { wishes } = toWishes(invocation);
  const { targets, watchdog } = await readWishes(wishes, invocation.environment);
  const holder = findHolder(lockOf(wishes, watchdog, targets), ownerOf(watchdog));
  if (holder !== null || wishes.config === null) return holder;
  const { config: _, ...given } = invocation.given;
  const everybody = { ...invocation, given, words: [] };
  const asked = await askAll(everybody, toRequest('status', everybody), () => exitCode('alreadyRunning'));
  if ('code' in asked) return null;
  const all = asked.answers.map(({ body }) => (body as StatusAnswer).watchdog);
  return all.find(({ config }) => config === wishes.config)?.pid ?? null;
}

/** The pid of the only one that is at work; `null` if none is. */
async function findOnly(invocation: Invocation): Promise<number | null | { readonly code: number }> {
  const asked = await askAll(invocation, toRequest('status', { ...invocation, words: [] }), () =>
    exitCode('alreadyRunning'),
  );
  if ('code' in asked) return asked.code === exitCode('alreadyRunning') ? null : asked;
  const [only, ...others] = asked.answers;
  if (others.length > 0) return { code: tooMany() };
  return (only.body as StatusAnswer).watchdog.pid;
}

function tooMany(): number {
  printError(
    'watchdog: there are several watchdogs; name one by --config, --name or --control (watchdog status shows them)\n',
  );
  return exitCode('usage');
}

async function end(pid: number): Promise<number> {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended in this moment, or may not be signalled: what follows tells.
  }
  return untilGone(pid);
}

/** What is asked for is a daemon, and is checked as one: it can't have the log on standard output. */
function asDaemon(invocation: Invocation): Invocation {
  const daemon = { value: true, from: '--daemon' };
  return { ...invocation, given: { ...invocation.given, daemon } };
}

/** Options that say how to watch, where nothing says what: they would be passed over in silence. */
function refuseAlone(given: Given): readonly Problem[] {
  return OPTION_SPECS.filter(({ name, scope }) => name in given && scope === 'watchdog' && !NAMES_ONE.has(name)).map(
    ({ name }) => ({
      where: given[name as OptionName]?.from ?? name,
      what: 'says how to watch, and nothing says what; give --config or a target too, or restart it as it was',
    }),
  );
}

/** By which one of several watchdogs is named. */
const NAMES_ONE: ReadonlySet<string> = new Set<OptionName>(['control', 'name']);
