import { randomInt } from 'node:crypto';
import { runBrain } from '../../brain.ts';
import { OWN_VARIABLES } from '../../config/environment.ts';
import { readSelect, readWatch, type SelectSettings, type WatchSettings } from '../../config/settings.ts';
import { escapeText } from '../../core/escape.ts';
import type { Target } from '../../core/types.ts';
import { processTitle } from '../../core/watchdog-process.ts';
import type { Host } from '../../host/host.ts';
import { openResidentHost } from '../../host/resident.ts';
import { closeInherited, originalOpenFilesLimit } from '../../system/descriptors.ts';
import { takeInstanceLock } from '../../system/instance-lock.ts';
import { createLog, type Log } from '../../system/log.ts';
import type { LookQuestion } from '../../system/look.ts';
import { openComplaints, openTerminal } from '../../system/terminal.ts';
import { userName } from '../../system/users.ts';
import { VERSION } from '../../version.ts';
import { exitCode } from '../exit-codes.ts';
import { openLogSink } from '../log-place.ts';
import { printError } from '../output.ts';
import { whyUnusableDirectory } from '../preflight.ts';
import { refuse, toQuestion } from '../question.ts';
import type { Invocation } from '../run.ts';

/** Watches one target until told to stop, or once. */
export async function watch(invocation: Invocation): Promise<number> {
  const { select, problems } = readSelect(invocation.raw);
  const { watch: settings, problems: more } = readWatch(invocation.raw);
  const { question, problems: evenMore } = toQuestion(select, invocation.arguments, settings.recover);
  const all = [
    ...invocation.problems,
    ...problems,
    ...more,
    ...evenMore,
    ...whyUnusableDirectory('--cwd', settings.cwd),
  ];
  if (all.length > 0) return refuse(all);
  const place = openLogSink(settings.log, invocation.environment);
  if ('problem' in place) return place.mayNot ? notPermitted(place.problem.what) : refuse([place.problem]);

  const lock = await takeInstanceLock(lockKey(select, settings));
  if (lock.kind === 'taken') {
    place.sink.close();
    return alreadyRunning(lock.pid, labelOf(select), settings.isQuiet);
  }
  closeInherited();
  process.title = processTitle(settings.name, (title) => question.selector.matches?.(title) !== true);

  const host = openHost(question);
  const environment = recoveryEnvironment(invocation.environment, settings);
  const target = toTarget(select, settings, host, environment.PATH ?? '');
  const log = createLog({
    target,
    sink: place.sink,
    format: settings.logFormat,
    show: settings.isQuiet || settings.log === '-' ? null : openTerminal(),
    complain: openComplaints(),
  });
  reportStart(log, host, target);
  if (lock.kind === 'unavailable') {
    log.report({ kind: 'warning', text: `${lock.why}; another watchdog of this target would not be noticed` });
  }
  if (process.pid === 1) log.report({ kind: 'warning', text: REAPER_WARNING });
  try {
    const outcome = await runBrain({
      target,
      question,
      recovery: {
        command: settings.recover,
        cwd: settings.cwd,
        env: environment,
        openFilesLimit: originalOpenFilesLimit(),
      },
      host,
      log,
      isOnce: settings.isOnce,
      seed: randomInt(2 ** 32),
    });
    return exitCode(outcome === 'stopped' || outcome === 'up' ? 'ok' : outcome);
  } catch (error) {
    log.report({ kind: 'defect', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    throw error;
  } finally {
    log.close();
    host.close();
  }
}

const REAPER_WARNING =
  'running as process 1, which inherits every orphan of this container: those that end stay zombies; ' +
  'start the container with an init (docker run --init) or share the PID namespace';

function openHost(question: LookQuestion): Host {
  const canWatch = question.table.kind === 'proc';
  const how = canWatch ? 'a death is noticed within 100ms' : 'ps is asked every interval';
  return openResidentHost({ canWatch, description: how });
}

function toTarget(select: SelectSettings, settings: WatchSettings, host: Host, recoverPath: string): Target {
  return {
    label: labelOf(select),
    name: settings.name ?? labelOf(select),
    recover: settings.recover,
    recoverPath,
    min: select.min,
    intervalMs: settings.intervalMs,
    confirmMs: settings.confirmMs,
    startDelayMs: settings.startDelayMs,
    startGraceMs: settings.startGraceMs,
    settleMs: settings.settleMs,
    recoverTimeoutMs: settings.recoverTimeoutMs,
    backoff: settings.backoff,
    dryRun: settings.isDryRun,
    deathsAreTold: host.tellsDeaths,
  };
}

function labelOf(select: SelectSettings): string {
  return select.pattern?.text ?? select.pidFile ?? '';
}

/** What makes two watches the same: the name, where one is given, else all that says what to look for. */
function lockKey(select: SelectSettings, settings: WatchSettings): string {
  const { pattern, pidFile, users, exe } = select;
  return settings.name === null
    ? JSON.stringify({ pattern, pidFile, users, exe })
    : JSON.stringify({ name: settings.name });
}

/** The environment as we found it, without the variables that are options of ours, and with those of `--env`. */
function recoveryEnvironment(environment: NodeJS.ProcessEnv, settings: WatchSettings): Record<string, string> {
  const kept = Object.entries(environment).filter(([name]) => !OWN_VARIABLES.has(name));
  return Object.fromEntries([...kept, ...settings.env].map(([name, value]) => [name, value ?? '']));
}

function reportStart(log: Log, host: Host, target: Target): void {
  log.report({
    kind: 'started',
    version: VERSION,
    pid: process.pid,
    user: userName(process.geteuid?.() ?? 0),
    directory: currentDirectory(),
    path: target.recoverPath,
    host: host.description,
  });
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    // Removed under our feet: it can be worked in, but has no name any more.
    return '(removed)';
  }
}

function alreadyRunning(pid: number | null, label: string, isQuiet: boolean): number {
  const who = pid === null ? 'another watchdog' : `another watchdog (pid ${pid})`;
  if (!isQuiet)
    printError(`watchdog: ${who} already watches "${escapeText(label)}"; end it, or give this one another --name\n`);
  return exitCode('alreadyRunning');
}

function notPermitted(what: string): number {
  printError(`watchdog: ${what}\n`);
  return exitCode('notPermitted');
}
