/**
 * Whether all that matches a pattern are programs that merely have the target's name
 * among their arguments (`vim my.js`, `tail -f my.js.log`), and what to ask for instead.
 */
import { argumentsOf, type ProcessRecord, programName } from './process.ts';
import { isShellCommand } from './wrapper.ts';

const LOOKALIKES: ReadonlySet<string> = new Set(
  (
    'cat code emacs emacsclient ed egrep fgrep gedit grep head helix hx joe kak kate less mcedit micro more most nano ' +
    'nvim pager pgrep pkill rg ripgrep rsync scp ssh tail tailf vi view vim vim.basic vim.tiny vimdiff watch zcat zless'
  ).split(' '),
);

/** What runs a file with this ending. */
const INTERPRETERS: ReadonlyMap<string, string> = new Map([
  ['js', 'node'],
  ['mjs', 'node'],
  ['cjs', 'node'],
  ['ts', 'node'],
  ['py', 'python3?'],
  ['rb', 'ruby'],
  ['pl', 'perl'],
  ['php', 'php'],
  ['jar', 'java'],
  ['sh', '(ba|da)?sh'],
]);

/** Whether this looks like an editor, pager, search or shell that only names the target. */
export function looksLikeBystander(record: ProcessRecord): boolean {
  const [program = ''] = argumentsOf(record);
  return LOOKALIKES.has(programName(program)) || isShellCommand(record);
}

/**
 * A pattern that these bystanders no longer match: the interpreter in front of the
 * file, or the program at the start of the line. `null` where none can be offered.
 */
export function narrowerPattern(
  pattern: string,
  isFixed: boolean,
  bystanders: readonly ProcessRecord[],
): string | null {
  const core = isFixed ? pattern.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&') : pattern;
  if (core.startsWith('^')) return null;
  const ending = /(?:\\?\.)([a-z]+)\$?$/.exec(core)?.[1];
  const interpreter = ending === undefined ? undefined : INTERPRETERS.get(ending);
  const exact = isFixed ? core : core.replace(/(^|[^\\])\.([a-z]+)$/, '$1\\.$2');
  const narrow =
    interpreter === undefined ? `^([^ ]*/)?${core}( |$)` : `^([^ ]*/)?${interpreter} (.* )?([^ ]*/)?${exact}( |$)`;
  return bystanders.some((one) => one.commandLine.startsWith(pattern)) ? null : narrow;
}
