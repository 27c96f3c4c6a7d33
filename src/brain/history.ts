/** What was told of a target, for whoever asks later: the last few things, and when. */
import { cut } from '../core/escape.ts';
import { describe } from '../core/report.ts';
import type { Report, TargetRules } from '../core/types.ts';

export interface Entry {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** The kind of the report. */
  readonly event: Report['kind'];
  readonly message: string;
}

/** So much is kept of each target. */
const MAX_ENTRIES = 12;
const MAX_MESSAGE_LENGTH = 300;

export function toEntry(rules: TargetRules, report: Report, atMs: number): Entry {
  return { atMs, event: report.kind, message: cut(describe(rules, report), MAX_MESSAGE_LENGTH) };
}

/** The history with one more, and without what is too old for it. */
export function withEntry(history: readonly Entry[], entry: Entry): readonly Entry[] {
  return [...history, entry].slice(-MAX_ENTRIES);
}
