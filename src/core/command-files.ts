/**
 * Which files a shell's command runs, as far as that can be told without a shell: the
 * programs that are named by a path, and the scripts that an interpreter is given.
 */

/** What runs the file in its first argument. */
const INTERPRETERS = new Set(
  'ash bash bun dash deno fish java ksh lua node nodejs perl php python python2 python3 ruby sh tclsh zsh'.split(' '),
);
/** What runs the command behind it. */
const CARRIERS = new Set('command doas env exec ionice nice nohup setsid stdbuf sudo time timeout'.split(' '));

/** Words of the command that are paths of what it runs; those of scripts need no slash. */
export function filesOfCommand(command: string): readonly string[] {
  return command.split(/&&|\|\||[;&|\n(){}]/).flatMap((part) => filesOfSimple(toWords(part)));
}

function filesOfSimple(words: readonly string[]): readonly string[] {
  const at = words.findIndex((word) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word));
  const program = words[at];
  if (at < 0 || program === undefined) return [];
  const name = program.slice(program.lastIndexOf('/') + 1);
  const own = program.includes('/') ? [program] : [];
  const rest = words.slice(at + 1);
  if (CARRIERS.has(name)) return [...own, ...filesOfSimple(withoutOptions(rest))];
  if (!INTERPRETERS.has(name)) return own;
  const script = rest.find((word) => !word.startsWith('-'));
  // `sh -c TEXT`: what is behind it is a command again, not a file.
  if (rest.some((word) => /^-[a-z]*c$/.test(word))) return own;
  return script === undefined ? own : [...own, script];
}

/** Behind a carrier: its options, with the user or group that one names, and numbers come before its command. */
function withoutOptions(words: readonly string[]): readonly string[] {
  const isOwn = (word: string, at: number): boolean =>
    /^-|^\d+[smhd]?$/.test(word) || /^-[ug]$/.test(words[at - 1] ?? '');
  return words.slice(words.findIndex((word, at) => !isOwn(word, at)));
}

/** Quotes and backslashes taken off; what a shell would still fill in is left out. */
function toWords(text: string): readonly string[] {
  const words = text.match(/(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return words
    .map((word) =>
      word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, (_, one, other, escaped) => one ?? other ?? escaped),
    )
    .filter((word) => !/[$`*?<>]/.test(word));
}
