/** One stretch of a watch, by whichever host: from the memory that was left to what it came to. */
import type { Host } from '../host/host.ts';
import type { Plan } from '../plan/plan.ts';
import { createLog, type Log } from '../system/log.ts';
import { openLogFile } from '../system/log-file.ts';
import type { LogSink } from '../system/log-sink.ts';
import { openLogStream } from '../system/log-stream.ts';
import { removeOwnPidFile, writeOwnPidFile } from '../system/own-pid-file.ts';
import { openComplaints, openTerminal } from '../system/terminal.ts';
import type { Memory } from './memory.ts';

import { type Outcome, runBrain } from './run.ts';

export interface WatchOptions {
  readonly isOnce: boolean;
  /** What the log is told where the watch begins only now. */
  readonly warnings: readonly string[];
  /** The plan is another one from now on. */
  readonly onPlan: (plan: Plan) => void;
}

/** Watches until there is an outcome. */
export async function watchOn(
  memory: Memory,
  host: Host,
  { isOnce, onPlan, warnings }: WatchOptions,
): Promise<Outcome> {
  const { plan } = memory;
  const log = openLog(plan, host);
  let logPlan = plan.log;
  if (memory.targets === null) reportBeginning(plan, host, log, [...warnings, ...writePidFile(plan, host)]);
  try {
    const follow = (next: Plan): void => {
      onPlan(next);
      if (JSON.stringify(next.log) !== JSON.stringify(logPlan)) log.moveTo(openSink(next), next.log.format);
      logPlan = next.log;
    };
    const outcome = await runBrain({ memory, host, log, isOnce, onPlan: follow });
    if (outcome.kind === 'over' && plan.ownPidFile !== null) removeOwnPidFile(plan.ownPidFile, host.pid);
    return outcome;
  } catch (error) {
    log.report({ kind: 'defect', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    throw error;
  } finally {
    log.close();
    host.close();
  }
}

function openLog({ label, log, name }: Plan, host: Host): Log {
  return createLog({
    subject: { label, name: name ?? label },
    sink: openSink({ log }),
    format: log.format,
    show: log.isShown ? openTerminal(host.pid) : null,
    complain: openComplaints(),
  });
}

/** Why it could not be written, if so: the watch goes on. */
function writePidFile({ ownPidFile }: Plan, host: Host): readonly string[] {
  const why = ownPidFile === null ? null : writeOwnPidFile(ownPidFile, host.pid);
  return why === null ? [] : [why];
}

function openSink({ log }: Pick<Plan, 'log'>): LogSink {
  return log.path === null ? openLogStream() : openLogFile(log.path).sink;
}

function reportBeginning({ beginning, controlTrouble }: Plan, host: Host, log: Log, warnings: readonly string[]): void {
  const { directory, path, user, version } = beginning;
  const { description, pid } = host;
  log.report({ kind: 'started', version, pid, user, directory, path, host: description });
  for (const text of [...warnings, ...controlWarnings(controlTrouble)]) log.report({ kind: 'warning', text });
}

function controlWarnings(trouble: string | null): readonly string[] {
  return trouble === null ? [] : [`there is no control socket, and watchdog status will not find this: ${trouble}`];
}
