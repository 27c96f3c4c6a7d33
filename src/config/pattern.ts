import { quoteRe2, translateEre } from '../core/ere.ts';
import { toPlainRegExp } from '../core/plain-pattern.ts';

/** How a pattern is to be read. */
export interface PatternSettings {
  readonly text: string;
  /** Literal text, not a regular expression. */
  readonly isFixed: boolean;
  /** The whole command line must match, not a part of it. */
  readonly isExact: boolean;
  readonly ignoresCase: boolean;
}

/** Whether a command line matches. Takes time linear in its length, whatever the pattern. */
export type Matcher = (commandLine: string) => boolean;

/** Command lines that have next to nothing in common: a pattern that matches all of them tells nothing apart. */
const UNLIKE_COMMAND_LINES = [
  '/sbin/init',
  'sh',
  '-bash',
  'node server.js',
  'python3 -m http.server 8000',
  '/usr/lib/postgresql/15/bin/postgres -D /srv/data',
  'sshd: root@pts/0',
  'AgentX 1',
];

/** Matching takes the length of the pattern times that of the text; and others choose the text. */
const MAX_PATTERN_LENGTH = 4_096;

/** Compiles a pattern, or says in one sentence what is wrong with it and what is allowed. `mayBeLiteral`: as literal text it would be right. */
export async function compilePattern(
  pattern: PatternSettings,
): Promise<{ readonly matcher: Matcher } | { readonly problem: string; readonly mayBeLiteral?: true }> {
  const { text } = pattern;
  if (text.trim() === '') {
    return { problem: 'the pattern is empty, and would match every process; write a part of the command line' };
  }
  if (text.length > MAX_PATTERN_LENGTH) {
    return { problem: `the pattern has ${text.length} characters; at most ${MAX_PATTERN_LENGTH} are allowed` };
  }
  const compiled = compilePlain(pattern) ?? (await compileEre(pattern));
  if (typeof compiled === 'string') return { problem: compiled, mayBeLiteral: true };
  if (compiled('')) {
    return { problem: `"${text}" matches the empty text, and so every process; write a part that must be there` };
  }
  if (UNLIKE_COMMAND_LINES.every(compiled)) {
    return { problem: `"${text}" matches about every process; write more of the command line` };
  }
  return { matcher: compiled };
}

/** What needs no engine of its own; `null` for all else. A wake waits for this. */
function compilePlain({ text, isFixed, isExact, ignoresCase }: PatternSettings): Matcher | null {
  if (ignoresCase) return null;
  if (isFixed) return isExact ? (commandLine) => commandLine === text : (commandLine) => commandLine.includes(text);
  const plain = toPlainRegExp(text, isExact);
  return plain === null ? null : (commandLine) => plain.test(commandLine);
}

/** Or what is wrong with the pattern. */
async function compileEre(pattern: PatternSettings): Promise<Matcher | string> {
  const { text, isFixed } = pattern;
  const translation = isFixed ? ({ kind: 'ok', re2: quoteRe2(text) } as const) : translateEre(text);
  if (translation.kind === 'invalid') {
    return `"${text}" is no regular expression: ${translation.why}`;
  }
  const matcher = await compileRe2(translation.re2, pattern);
  return matcher ?? `"${text}" is too large a regular expression; use a shorter one`;
}

async function compileRe2(re2: string, pattern: PatternSettings): Promise<Matcher | null> {
  const { RE2JS } = await import('re2js');
  const flags = RE2JS.DOTALL | RE2JS.LOOKBEHINDS | (pattern.ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
  try {
    const compiled = RE2JS.compile(pattern.isExact ? `\\A(?:${re2})\\z` : re2, flags);
    return (commandLine) => compiled.test(commandLine);
  } catch (error) {
    // The translation is valid RE2; what is left to go wrong is its size.
    if (error instanceof Error) return null;
    throw error;
  }
}
