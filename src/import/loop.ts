/**
 * The loop that people write by hand, in a shell script or a line of a crontab: something is looked
 * for, and started if it is missing. Read by its usual shapes, never run; what is not
 * understood is shown.
 */
import { emptyTable, type Imported, type ImportedTable, literally, toName, toPattern } from './imported.ts';

/** What a command is that looks: the pattern is the first word behind the options, quoted or not. */
const PGREP = /\bpgrep\s+((?:-{1,2}[A-Za-z-]+\s+)*)(?:--\s+)?("[^"]*"|'[^']*'|[^\s|&;)]+)/;
const PIDOF = /\bpidof\s+(?:-\S+\s+)*("[^"]*"|'[^']*'|[^\s|&;)]+)/;
const PS_GREP =
  /\bps\b[^|]*(?:\|\s*grep\s+-v\s+\S+\s*)*\|\s*grep\s+(?:-(?!v)\S+\s+)*("[^"]*"|'[^']*'|[^-\s|&;)][^\s|&;)]*)/;
/** Commands that only tell or wait. */
const SIDE = /^(echo|printf|date|sleep|logger|touch|exit|return|true|:|mail|wait)\b/;

/** A script, or the text of one. */
export function importScript(text: string, path: string): Imported {
  const variables = readVariables(text);
  const filled = (words: string): string => fill(words, variables);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const look = lines.map((line) => findLook(filled(line))).find((one) => one !== null);
  if (look === undefined || look === null) return { tables: [], problems: [{ where: path, what: whyNoLoop }] };
  const recovery = findRecovery(lines, filled);
  if (recovery === null) {
    const what = `looks for "${look.pattern}", but what it starts when that is missing was not found`;
    return { tables: [], problems: [{ where: path, what }] };
  }
  const top = emptyTable(null);
  const log = variables.LOGFILE ?? variables.LOG ?? />>\s*(\S+)/.exec(recovery.line)?.[1];
  if (log !== undefined) top.pairs.push(['log', literally(filled(unquote(log)))]);
  const table = toTable(look, recovery.command);
  const pause = lines.map((line) => /^sleep\s+(\S+)/.exec(filled(line))?.[1]).find((one) => one !== undefined);
  if (pause !== undefined) table.comments.push(`sleep ${pause}: not needed, a death is told at once`);
  const used = `${lines.find((line) => findLook(filled(line)) !== null)} ${recovery.line} LOGFILE LOG`;
  for (const line of lines) {
    const name = /^(?:export\s+)?([A-Za-z_]\w*)=/.exec(line)?.[1];
    if (name !== undefined && !new RegExp(`\\b${name}\\b`).test(used)) {
      table.comments.push(`not taken over: ${line}`);
      continue;
    }
    const isKnown =
      line === '' ||
      /^(#|while|do\b|done|if\b|then\b|fi\b|else\b|sleep|[A-Za-z_]\w*=)/.test(line) ||
      line === recovery.line ||
      findLook(filled(line)) !== null;
    if (!isKnown && line !== 'then' && line !== 'done &') table.comments.push(`not taken over: ${line}`);
  }
  return { tables: [top, table], problems: [] };
}

const whyNoLoop = 'has neither pgrep, pidof nor ps | grep: there is nothing to take a pattern from';

/** Lines of a crontab: `@reboot …`, or five fields, and a command with the look in it. */
export function importCrontab(text: string, path: string): Imported {
  const top = emptyTable(null);
  const tables: ImportedTable[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue;
    const assignment = /^([A-Za-z_]\w*)\s*=\s*(.*)$/.exec(line.trim());
    if (assignment !== null) {
      top.comments.push(`not taken over: ${line.trim()} (write it into env where a target needs it)`);
      continue;
    }
    const command = commandOf(line);
    const look = command === null ? null : findLook(command);
    const recovery = command === null ? null : /\|\|\s*\(?\s*(.+?)\s*\)?\s*$/.exec(command)?.[1];
    if (look === null || recovery == null) {
      top.comments.push(
        `not taken over: ${line.trim()} (line ${at + 1}: no look that is followed by || and what to start)`,
      );
      continue;
    }
    tables.push(toTable(look, recovery.replace(/\s*&\s*$/, '')));
  }
  if (tables.length === 0) return { tables: [], problems: [{ where: path, what: `${whyNoLoop}, or no || behind it` }] };
  return { tables: [top, ...tables], problems: [] };
}

/** The command of a line; in a crontab a `%` has a backslash before it. */
export function commandOf(line: string): string | null {
  const match = /^\s*(?:@[a-z]+|(?:[\d*/,A-Za-z-]+\s+){4}[\d*/,A-Za-z-]+)\s+(.+)$/.exec(line);
  return match === null ? null : (match[1] ?? '').replaceAll('\\%', '%');
}

interface Look {
  readonly pattern: string;
  readonly isFixed: boolean;
  readonly comment: string | null;
}

function findLook(text: string): Look | null {
  const pgrep = PGREP.exec(text);
  if (pgrep !== null) {
    const options = pgrep[1] ?? '';
    const pattern = unquote(pgrep[2] ?? '');
    if (/(^|\s)-[a-zA-Z]*f|--full/.test(options)) return { pattern, isFixed: false, comment: null };
    // Without -f it is the short name that is compared, which is the beginning of the program's.
    return {
      pattern: `^([^ ]*/)?${pattern}`,
      isFixed: false,
      comment: `pgrep without -f compares the name of the program only: "${pattern}"`,
    };
  }
  const pidof = PIDOF.exec(text);
  if (pidof !== null) {
    const name = unquote(pidof[1] ?? '');
    return { pattern: `^([^ ]*/)?${toPattern(name)}( |$)`, isFixed: false, comment: `pidof ${name}` };
  }
  const grep = PS_GREP.exec(text);
  return grep === null
    ? null
    : { pattern: unquote(grep[1] ?? '').replace(/^\[(.)\]/, '$1'), isFixed: false, comment: 'ps | grep' };
}

function toTable({ comment, pattern }: Look, recovery: string): ImportedTable {
  const word =
    /[A-Za-z0-9_][A-Za-z0-9_.-]*/.exec(pattern.replaceAll(/\(\[\^ \]\*\/\)\?|\(.*?\)|\\/g, ''))?.[0] ?? 'target';
  const table = emptyTable(toName(word));
  table.pairs.push(comment === null ? ['pattern', pattern] : ['pattern', pattern, comment]);
  table.pairs.push(['recover', literally(recovery)]);
  return table;
}

/** `NAME=value` at the beginning of a line. */
function readVariables(text: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const match of text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)=("[^"]*"|'[^']*'|[^\s;$(]\S*)\s*(?:#.*)?$/gm)) {
    variables[match[1] ?? ''] = unquote(match[2] ?? '');
  }
  return variables;
}

function fill(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (whole, braced, plain) => variables[braced ?? plain] ?? whole,
  );
}

function unquote(text: string): string {
  return /^(["']).*\1$/s.test(text) ? text.slice(1, -1) : text;
}

/** The first command between `then` and `fi` that does something, or what follows `||`. */
function findRecovery(
  lines: readonly string[],
  filled: (text: string) => string,
): { readonly line: string; readonly command: string } | null {
  let isInside = false;
  for (const line of lines) {
    const either = /\|\|\s*(.+)$/.exec(filled(line))?.[1];
    if (either !== undefined && findLook(filled(line)) !== null) return { line, command: bare(either) };
    const behindThen = /\bthen\b\s*;?\s*(.*)$/.exec(line)?.[1];
    if (behindThen !== undefined) isInside = true;
    const candidate = behindThen ?? line;
    if (/^(fi|else|elif)\b/.test(line)) isInside = false;
    const isCommand =
      candidate !== '' && !candidate.startsWith('#') && !SIDE.test(candidate) && !/^[A-Za-z_]\w*=/.test(candidate);
    if (isInside && isCommand) return { line, command: bare(filled(candidate)) };
  }
  return null;
}

/** Without what sends its output elsewhere and it into the background: the watchdog does both. */
function bare(command: string): string {
  return command
    .replace(/;\s*fi\b.*$/, '')
    .replaceAll(/\s*(?:[12&]?>{1,2}\s*(?:&\d|\S+))/g, '')
    .replace(/\s*&\s*$/, '')
    .replace(/^nohup\s+/, '')
    .trim();
}
