/** The room for the title in the process table that the sentinel gets: what its arguments take. */
const TITLE_ROOM = 160;

/**
 * Becomes the sentinel: from here on this process is another program, with the same
 * number, session, terminal, directory and standard streams. Never returns.
 */
export function becomeSentinel(path: string, title: string, handover: Readonly<Record<string, string>>): never {
  process.execve?.(path, [title, ' '.repeat(Math.max(1, TITLE_ROOM - title.length))], {
    ...process.env,
    ...handover,
  } as Record<string, string>);
  throw new Error('this Node has no process.execve');
}
