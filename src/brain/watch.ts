/** One stretch of a watch, by whichever host: from the memory that was left to what it came to. */
import type { Host } from '../host/host.ts';
import type { Plan } from '../plan/plan.ts';
import { createLog, type Log } from '../system/log.ts';
import { openLogFile } from '../system/log-file.ts';
import { openLogStream } from '../system/log-stream.ts';
import { openComplaints, openTerminal } from '../system/terminal.ts';
import type { Memory } from './memory.ts';

import { type Outcome, runBrain } from './run.ts';

/** Watches until there is an outcome. `warnings`: what the log is told where the watch begins only now. */
export async function watchOn(
  memory: Memory,
  host: Host,
  { isOnce, warnings }: { readonly isOnce: boolean; readonly warnings: readonly string[] },
): Promise<Outcome> {
  const { plan } = memory;
  const log = openLog(plan, host);
  if (memory.targets === null) reportBeginning(plan, host, log, warnings);
  try {
    return await runBrain({ memory, host, log, isOnce });
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
    sink: log.path === null ? openLogStream() : openLogFile(log.path).sink,
    format: log.format,
    show: log.isShown ? openTerminal(host.pid) : null,
    complain: openComplaints(),
  });
}

function reportBeginning({ beginning }: Plan, host: Host, log: Log, warnings: readonly string[]): void {
  const { directory, path, user, version } = beginning;
  const { description, pid } = host;
  log.report({ kind: 'started', version, pid, user, directory, path, host: description });
  for (const text of warnings) log.report({ kind: 'warning', text });
}
