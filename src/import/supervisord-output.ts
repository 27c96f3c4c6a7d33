/** Where a program of a supervisord.conf writes: both streams, and how much of it is kept. */
import type { ImportedTable } from './imported.ts';
import type { IniSection } from './ini.ts';
import { expand, isTrue, notTaken, toBytes, type Variables } from './supervisord-values.ts';

export function addOutput(table: ImportedTable, section: IniSection, variables: Variables): void {
  const value = (key: string): string | null => {
    const raw = section.entries.find((entry) => entry.key === key)?.value;
    return raw === undefined ? null : expand(raw, variables);
  };
  const path = value('stdout_logfile');
  const errors = isTrue(value('redirect_stderr') ?? 'false') ? null : value('stderr_logfile');
  if (path === null || path.toUpperCase() === 'AUTO') {
    if (path !== null) table.comments.push(notTaken('stdout_logfile', path, 'without an output it goes to the log'));
  } else table.pairs.push(['output', STREAM.test(path) ? '-' : toFile(path)]);
  if (errors !== null && errors !== path) addErrors(table, errors);
  addBounds(table, value, path?.toUpperCase() === 'NONE' ? 'stderr' : 'stdout');
}

/** Supervisor's own streams. */
const STREAM = /^\/dev\/(stdout|stderr|fd\/[12])$/;

function toFile(path: string): string {
  return path.toUpperCase() === 'NONE' ? '/dev/null' : path;
}

function has(table: ImportedTable, key: string): boolean {
  return table.pairs.some(([one]) => one === key);
}

function isOurs(table: ImportedTable): boolean {
  return table.pairs.some(([key, value]) => key === 'output' && value === '-');
}

function addErrors(table: ImportedTable, path: string): void {
  const refuse = (why: string): unknown => table.comments.push(notTaken('stderr_logfile', path, why));
  if (path.toUpperCase() === 'AUTO') refuse('without error-output it goes along with standard output');
  else if (STREAM.test(path)) {
    if (!isOurs(table)) refuse('without error-output it goes along with standard output');
  } else if (isOurs(table)) refuse('output = "-" is for both');
  else if (!has(table, 'output')) refuse('write where standard output goes, too: output');
  else table.pairs.push(['error-output', toFile(path)]);
}

/** How large a file may be and how many are kept, of one stream for both. */
function addBounds(table: ImportedTable, value: (key: string) => string | null, from: 'stdout' | 'stderr'): void {
  const KEYS = [
    ['logfile_maxbytes', 'output-max-size', toBytes],
    ['logfile_backups', 'output-keep', Number],
  ] as const;
  for (const [theirs, ours, read] of KEYS) {
    for (const stream of ['stdout', 'stderr'] as const) {
      const bound = value(`${stream}_${theirs}`);
      const isFile = !isOurs(table) && has(table, stream === 'stdout' ? 'output' : 'error-output');
      if (bound === null || (!isFile && Number(bound) === 0)) continue;
      if (stream === from && isFile) table.pairs.push([ours, read(bound)]);
      else if (!isFile)
        table.comments.push(notTaken(`${stream}_${theirs}`, bound, 'there is no file that it is about'));
      else if (bound !== value(`${from}_${theirs}`)) {
        table.comments.push(notTaken(`${stream}_${theirs}`, bound, 'both files have the same bounds'));
      }
    }
  }
}
