/** Who else brings a process back when it ends: seen by its parents, and the unit that it is in. */
import { readFileSync } from 'node:fs';
import type { ProcessRecord } from '../core/process.ts';
import { programName } from '../core/process.ts';
import { errorCode } from './errors.ts';
import type { ProcessTable } from './process-table.ts';

const MAX_PARENTS = 16;
/** By the command lines of their processes; pm2 shows its own title. */
const KEEPERS: readonly (readonly [test: RegExp, name: string])[] = [
  [/^PM2 v|\bpm2\b.*\bDaemon\b/i, 'pm2'],
  [/\bsupervisord\b/, 'supervisord'],
  [/^(\S*\/)?runsv\b/, 'runit'],
  [/^(\S*\/)?s6-supervise\b/, 's6'],
  [/^(\S*\/)?supervise\b/, 'daemontools'],
  [/^(\S*\/)?monit\b/, 'Monit'],
  [/\bforever\b.*\bmonitor\b/, 'forever'],
];

/** The name of its keeper, such as `systemd (nginx.service)`; `null` if none is seen. */
export async function findKeeper(record: ProcessRecord, table: ProcessTable): Promise<string | null> {
  const unit = unitOf(record.pid);
  if (unit !== null) return `systemd (${unit})`;
  let { ppid } = record;
  for (let count = 0; ppid > 1 && count < MAX_PARENTS; count += 1) {
    const reading = await table.read(ppid);
    if (reading.kind !== 'process') return null;
    const { record: parent } = reading;
    const keeper = KEEPERS.find(([test]) => test.test(parent.commandLine));
    if (keeper !== undefined)
      return `${keeper[1]} (process ${parent.pid}, ${programName(parent.commandLine.split(' ')[0] ?? '')})`;
    ppid = parent.ppid;
  }
  return null;
}

/** The service of systemd that it is in (cgroups(7)); a session of somebody's own restarts nothing. */
function unitOf(pid: number): string | null {
  try {
    const group = readFileSync(`/proc/${pid}/cgroup`, 'latin1');
    const unit = /\/([^/\n]+\.service)(?:\/|$)/m.exec(group)?.[1] ?? null;
    return unit === null || /^(user@|cron|crond|ssh|sshd)/.test(unit) ? null : unit;
  } catch (error) {
    errorCode(error);
    return null;
  }
}
