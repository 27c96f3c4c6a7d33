import { RE2JS } from 're2js';
import { quoteRe2, translateEre } from '../core/ere.ts';

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

/** Compiles a pattern, or says in one sentence what is wrong with it and what is allowed. */
export function compilePattern(pattern: PatternSettings): { readonly matcher: Matcher } | { readonly problem: string } {
  if (pattern.text.trim() === '') {
    return { problem: 'the pattern is empty, and would match every process; write a part of the command line' };
  }
  const translation = pattern.isFixed
    ? ({ kind: 'ok', re2: quoteRe2(pattern.text) } as const)
    : translateEre(pattern.text);
  if (translation.kind === 'invalid') {
    return {
      problem: `"${pattern.text}" is no regular expression: ${translation.why}; or use --fixed for literal text`,
    };
  }
  const matcher = compileRe2(translation.re2, pattern);
  if (matcher === null) return { problem: `"${pattern.text}" is too large a regular expression; use a shorter one` };
  if (matcher('')) {
    return {
      problem: `"${pattern.text}" matches the empty text, and so every process; write a part that must be there`,
    };
  }
  if (UNLIKE_COMMAND_LINES.every(matcher)) {
    return { problem: `"${pattern.text}" matches about every process; write more of the command line` };
  }
  return { matcher };
}

function compileRe2(re2: string, pattern: PatternSettings): Matcher | null {
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
