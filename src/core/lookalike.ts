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
 * A narrower pattern: the interpreter in front of the file, or the program at the start
 * of the line. `null` where none can be offered. Whether it helps must be tried.
 */
export function narrowerPattern(pattern: string, isFixed: boolean): string | null {
  const literal = isFixed ? pattern.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&') : pattern;
  if (literal.startsWith('^')) return null;
  const ending = /\\?\.([a-z]+)\$?$/.exec(literal)?.[1];
  const interpreter = ending === undefined ? undefined : INTERPRETERS.get(ending);
  if (interpreter === undefined) return `^([^ ]*/)?${literal}( |$)`;
  const file = literal.replace(/\$$/, '').replace(/(^|[^\\])\.([a-z]+)$/, '$1\\.$2');
  return `^([^ ]*/)?${interpreter} (.* )?([^ ]*/)?${file}( |$)`;
}
