/** supervisord.conf: programs become targets with a command, groups their groups. Keys as in Supervisor 4's manual. */
import { splitWords } from '../core/shell-words.ts';
import { emptyTable, type Imported, type ImportedTable, toName, type Value } from './imported.ts';
import type { IniEntry, IniSection } from './ini.ts';
import { addOutput } from './supervisord-output.ts';
import { expand, isTrue, notTaken, readEnvironment, type Variables } from './supervisord-values.ts';

export interface SupervisorOptions {
  readonly sections: readonly IniSection[];
  /** The directory of the file: `%(here)s`. */
  readonly here: string;
  readonly hostName: string;
}

/** Why a key of a program is left out. */
const NO_EQUIVALENT: Readonly<Record<string, string>> = {
  startretries: 'it is never given up here: tried ever more rarely (backoff), or see exit-on-failure',
  serverurl: 'there is nothing like it',
  stdout_capture_maxbytes: 'there is no capture mode',
  stderr_capture_maxbytes: 'there is no capture mode',
  stdout_events_enabled: 'events are told by on-event and webhook',
  stderr_events_enabled: 'events are told by on-event and webhook',
  stdout_syslog: 'pipe it through logger(1) in the command',
  stderr_syslog: 'pipe it through logger(1) in the command',
};
/** Sections of Supervisor's own that we need not have. */
const OWN_SECTIONS: Readonly<Record<string, string>> = {
  unix_http_server: 'the control socket is there by itself: watchdog status',
  inet_http_server: 'the control socket is a file, and never on a network',
  supervisorctl: 'watchdog status, start, stop … find the watchdog by themselves',
};
const SUPERVISORD_WHY: Readonly<Record<string, string>> = {
  nodaemon: 'the watchdog stays in the foreground unless it is told otherwise (--daemon)',
  logfile_maxbytes: 'the log is put aside by logrotate and reopened by SIGUSR1',
  logfile_backups: 'the log is put aside by logrotate and reopened by SIGUSR1',
  minfds: 'set it where the watchdog is started (ulimit -n)',
  minprocs: 'set it where the watchdog is started (ulimit -u)',
  childlogdir: 'give each target its output',
};

export function importSupervisord({ here, hostName, sections }: SupervisorOptions): Imported {
  const problems: { where: string; what: string }[] = [];
  const top = emptyTable(null);
  const defaults = emptyTable('defaults');
  const targets: ImportedTable[] = [];
  const groups = readGroups(sections);
  for (const section of sections) {
    const [kind = '', name = ''] = section.name.split(':');
    if (kind === 'program') targets.push(...importProgram(name, section, groups, { here, hostName }, problems));
    else if (kind === 'supervisord') importOwn(section, top, defaults, { here, host_node_name: hostName });
    else if (kind !== 'group' && kind !== 'include')
      top.comments.push(...leaveOut(section, OWN_SECTIONS[kind] ?? 'has no equivalent'));
  }
  return { tables: [top, defaults, ...targets], problems };
}

function leaveOut({ entries, name }: IniSection, why: string): readonly string[] {
  return [`[${name}]: ${why}`, ...entries.map(({ key, value }) => `  ${key} = ${value}`)];
}

/** By program: the names of its groups, and the priority that the last of them gives it. */
function readGroups(
  sections: readonly IniSection[],
): ReadonlyMap<string, { names: string[]; priority: string | null }> {
  const groups = new Map<string, { names: string[]; priority: string | null }>();
  for (const { entries, name } of sections.filter((one) => one.name.startsWith('group:'))) {
    const value = (key: string): string | null => entries.find((entry) => entry.key === key)?.value ?? null;
    for (const program of (value('programs') ?? '').split(',').map((one) => one.trim())) {
      const known = groups.get(program) ?? { names: [], priority: null };
      groups.set(program, {
        names: [...known.names, name.slice('group:'.length)],
        priority: value('priority') ?? known.priority,
      });
    }
  }
  return groups;
}

function importOwn({ entries }: IniSection, top: ImportedTable, defaults: ImportedTable, variables: Variables): void {
  for (const { key, value: raw } of entries) {
    const value = expand(raw, variables);
    if (key === 'logfile') top.pairs.push(['log', value === '/dev/stdout' || value === '/dev/fd/1' ? '-' : value]);
    else if (key === 'pidfile') top.pairs.push(['own-pid-file', value]);
    else if (key === 'user') top.pairs.push(['run-as', value]);
    else if (key === 'umask') defaults.pairs.push(['umask', value]);
    else if (key === 'directory') defaults.pairs.push(['cwd', value]);
    else if (key === 'environment') defaults.pairs.push(['env', readEnvironment(value)]);
    else top.comments.push(notTaken(key, raw, SUPERVISORD_WHY[key] ?? 'there is nothing like it'));
  }
}

/** One target, or several where a copy's number is part of what it is. */
function importProgram(
  name: string,
  section: IniSection,
  groups: ReturnType<typeof readGroups>,
  { here, hostName }: { readonly here: string; readonly hostName: string },
  problems: { where: string; what: string }[],
): readonly ImportedTable[] {
  const value = (key: string): string | null => section.entries.find((entry) => entry.key === key)?.value ?? null;
  const group = groups.get(name);
  const numprocs = Number(value('numprocs') ?? 1);
  const first = Number(value('numprocs_start') ?? 0);
  if (!Number.isInteger(numprocs) || numprocs < 1 || !Number.isInteger(first)) {
    problems.push({ where: section.place, what: `numprocs = ${value('numprocs')} is no number of processes` });
    return [];
  }
  if (value('command') === null) {
    problems.push({ where: section.place, what: `[${section.name}] has no command` });
    return [];
  }
  const base = { here, host_node_name: hostName, program_name: name, group_name: group?.names[0] ?? name, numprocs };
  const isNumbered = section.entries.some(
    ({ key, value: text }) => key !== 'process_name' && text.includes('process_num'),
  );
  const make = (targetName: string, number: number | null, copies: number): ImportedTable => {
    const table = emptyTable(toName(targetName));
    const variables: Variables = { ...base, process_num: number ?? first };
    const entries = section.entries.filter(({ key }) => key !== 'priority' || group?.priority == null);
    for (const entry of entries) takeKey(table, entry, variables, section);
    if (copies > 1)
      table.pairs.push(['numprocs', copies, `they are called ${toName(name)}-1 to ${toName(name)}-${copies}`]);
    const names = number !== null && numprocs > 1 ? [name, ...(group?.names ?? [])] : (group?.names ?? []);
    if (names.length > 0) table.pairs.push(['groups', names.map(toName)]);
    if (group?.priority != null) table.pairs.push(['priority', Number(group.priority)]);
    addStop(table, section);
    addOutput(table, section, variables);
    return table;
  };
  if (numprocs === 1) return [make(name, null, 1)];
  if (!isNumbered) return [make(name, null, numprocs)];
  const processName = value('process_name') ?? '%(program_name)s_%(process_num)02d';
  return Array.from({ length: numprocs }, (_, at) =>
    make(expand(processName, { ...base, process_num: first + at }), first + at, 1),
  );
}

/** Keys that say the same in one word. */
const TAKEN: Readonly<Record<string, (value: string) => readonly [string, Value, string?]>> = {
  directory: (value) => ['cwd', value],
  umask: (value) => ['umask', value],
  priority: (value) => ['priority', Number(value)],
  autostart: (value) => ['autostart', isTrue(value)],
  autorestart: (value) => ['autorestart', value.toLowerCase() === 'unexpected' ? 'unexpected' : isTrue(value)],
  startsecs: (value) => ['start-seconds', Number(value)],
  exitcodes: (value) => ['expected-exit-codes', value.split(',').map((one) => one.trim())],
  stopsignal: (value) => ['stop-signal', value],
  stopwaitsecs: (value) => ['stop-timeout', `${value}s`],
  user: (value) => ['user', value, 'with its groups and little of our environment: see watchdog help privileges'],
  environment: (value) => ['env', readEnvironment(value)],
};
/** Read together with others. */
const TOGETHER: readonly string[] = [
  'process_name',
  'numprocs',
  'numprocs_start',
  'stopasgroup',
  'killasgroup',
  'redirect_stderr',
  'stdout_logfile',
  'stdout_logfile_maxbytes',
  'stdout_logfile_backups',
  'stderr_logfile',
  'stderr_logfile_maxbytes',
  'stderr_logfile_backups',
];

function takeKey(table: ImportedTable, { key, value: raw }: IniEntry, variables: Variables, section: IniSection): void {
  const value = expand(raw, variables);
  if (key === 'command') {
    const words = splitWords(value.replaceAll('\n', ' '));
    table.pairs.unshift(['command', words ?? value]);
    if (words === null) table.comments.push('the command has a quote without an end; it is left to the shell');
    return;
  }
  if (TOGETHER.includes(key)) return;
  const taken = TAKEN[key]?.(value);
  if (taken !== undefined) table.pairs.push(taken);
  else table.comments.push(notTaken(key, raw, NO_EQUIVALENT[key] ?? `[${section.name}] knows no such key`));
}

/** Supervisor ends one process unless it is told otherwise; what that one has started lives on. */
function addStop(table: ImportedTable, section: IniSection): void {
  const isOn = (key: string): boolean => isTrue(section.entries.find((entry) => entry.key === key)?.value ?? 'false');
  if (isOn('stopasgroup')) return;
  if (isOn('killasgroup')) {
    table.comments.push(
      'killasgroup without stopasgroup: here the stop signal goes to the whole group as well as KILL',
    );
    return;
  }
  table.pairs.push(['kill-mode', 'process', 'as Supervisor does; leave this out, and nothing is left behind']);
}
