/** What the processes of a program are known by. Apart from the look for them: a wake need not load what makes it. */
import { createHash } from 'node:crypto';
import type { Limit } from './child.ts';
import { openProcFiles } from './proc-file.ts';
import { parseRealTimeLimit } from './proc-stat.ts';

/** The first mark, in microseconds: some thirty years. What is added to it keeps it below nine times that. */
const FIRST_MARK = 1e15;

/**
 * The mark of a program, as the limit that it is started with; the same for the same key.
 * `null` where there is no such thing: no `/proc`, or we are so limited ourselves.
 */
export function markOf(key: string): Limit | null {
  const limits = openProcFiles()('/proc/self/limits');
  const own = 'text' in limits ? parseRealTimeLimit(limits.text) : null;
  if (own === null) return null;
  const hard = own.hard === 'unlimited' ? null : Number(own.hard);
  const soft = FIRST_MARK + createHash('sha256').update(key).digest().readUIntBE(0, 6);
  return hard !== null && hard < soft ? null : { name: 'rttime', soft, hard };
}
