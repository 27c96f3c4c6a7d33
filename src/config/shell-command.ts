/** A command as text, so that the shell which runs it becomes it where it can, and does not stay around it. */

/** What the shell does itself: `exec` would look for a program of that name. */
const BUILTINS: ReadonlySet<string> = new Set(
  (
    '. : alias bg break case cd command continue do done elif else esac eval exec exit export fc fg fi for function ' +
    'getopts hash if jobs local read readonly return set shift source then time times trap type ulimit umask unalias ' +
    'unset until wait while { } ! [['
  ).split(' '),
);

/**
 * With `exec` before it if it is one simple command (POSIX, Shell Command Language, 2.9.1):
 * then the process that is started is the program itself. Anything else stays as it is.
 */
export function toShellCommand(command: string): string {
  const [first = ''] = command.trim().split(/\s+/);
  if (BUILTINS.has(first) || /^[A-Za-z_][A-Za-z0-9_]*=/.test(first) || !isSimple(command)) return command;
  return `exec ${command.trim()}`;
}

/** Whether no character outside of quotes ends or groups a command. */
function isSimple(command: string): boolean {
  let quote = '';
  for (let at = 0; at < command.length; at += 1) {
    const character = command[at] as string;
    if (quote === "'") quote = character === "'" ? '' : quote;
    else if (character === '\\') at += 1;
    else if (quote === '"') quote = character === '"' ? '' : quote;
    else if (character === "'" || character === '"') quote = character;
    // `2>&1` and `<&-` are no ends; `$(…)` is gone into by the shell itself.
    else if (character === '&' && /[<>]/.test(command[at - 1] ?? '')) continue;
    else if (/[;&|()\n]/.test(character)) return false;
  }
  return quote === '';
}
