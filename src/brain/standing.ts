/** What the sentinel needs to know of a watch, for what it does without a brain. */
import { cut, escapeForeign, escapeText } from '../core/escape.ts';
import type { Standing } from '../host/sentinel-words.ts';
import type { Plan } from '../plan/plan.ts';
import { NO_RESTRAINT } from '../system/child.ts';

/** No label in the sentinel's own lines is longer. */
const MAX_LABEL_LENGTH = 200;

export function standingOf(plan: Plan): Standing {
  return {
    brain: {
      program: plan.program,
      args: plan.args,
      set: {},
      unset: [],
      directory: null,
      output: null,
      errors: null,
      user: null,
      rotate: null,
      restraint: NO_RESTRAINT,
      isForeground: false,
    },
    note: noteOf(plan),
    log: plan.log.path,
    offsetSeconds: -new Date().getTimezoneOffset() * 60,
    detaches: plan.isDaemon,
    filesLimit: plan.start.openFilesLimit,
  };
}

/** A line of the log with places for time and message, as PROTOCOL.md has it. */
function noteOf({ label: own, log, name: given }: Plan): string {
  const label = cut(escapeText(own), MAX_LABEL_LENGTH);
  if (log.format === 'text') return `[%t] ${label.replaceAll('%', '%%')} warning: %m`;
  const name = JSON.stringify(cut(escapeForeign(given ?? own), MAX_LABEL_LENGTH)).replaceAll('%', '%%');
  return `{"time":"%z","event":"warning","target":${name},"message":"%m"}`;
}
