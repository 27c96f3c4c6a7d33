/**
 * What can be asked of a watchdog while it watches: HTTP with JSON inside, over a Unix
 * socket. `GET /v1/VERB?target=NAME` for what only tells, `POST /v1/VERB` with a body for
 * the rest. docs/control.md has it for users.
 */

import type { Changes } from '../core/report.ts';
import type { Verb } from '../core/verbs.ts';

/** One thing that is asked. */
export interface ControlRequest {
  readonly verb: Verb;
  /** Names, globs or groups; empty: all targets, or the watchdog itself. */
  readonly targets: readonly string[];
  /** How long a pause lasts; `null`: until it is resumed. */
  readonly forMs: number | null;
  readonly reason: string | null;
  /** Without `SIG`. */
  readonly signal: string | null;
  /** Whether events go on being told. */
  readonly follow: boolean;
}

/** How one target is. */
export interface TargetStatus {
  readonly name: string;
  readonly groups: readonly string[];
  /** `up`, `down` while it is missing and something is done about it, and so on; `state` has the phase itself. */
  readonly state: string;
  readonly isUp: boolean;
  readonly processes: readonly ProcessStatus[];
  /** Since the watchdog was started. */
  readonly recoveries: number;
  /** In a row. */
  readonly failures: number;
  /** How the last process of it ended, such as `exit status 1`; `null` while none has, or nobody knows. */
  readonly lastExit: string | null;
  /** The file that its output goes to, where it has one of its own; `-`: our standard output. */
  readonly output: string | null;
  /** The one that its standard error goes to, where that is another. */
  readonly errorOutput: string | null;
  /** When the next recovery is tried; ISO 8601. */
  readonly nextTryAt: string | null;
  readonly waitsFor: string | null;
  readonly pausedUntil: string | null;
  readonly reason: string | null;
  /** Why it can't be told how the target is. */
  readonly blind: string | null;
  readonly lastEvent: Event | null;
}

export interface ProcessStatus {
  readonly pid: number;
  readonly ageMs: number | null;
  /** Percent of one processor: since the last time this was asked, or over its life. */
  readonly cpuPercent: number | null;
  readonly memoryBytes: number | null;
  readonly command: string;
}

/** Something that was told of a target. */
export interface Event {
  /** ISO 8601. */
  readonly time: string;
  readonly target: string;
  readonly event: string;
  readonly message: string;
}

export interface WatchdogStatus {
  readonly pid: number;
  readonly name: string | null;
  readonly version: string;
  readonly user: string;
  readonly config: string | null;
  readonly log: string | null;
  /** What it was started with, and where. */
  readonly arguments: readonly string[];
  readonly directory: string;
}

/** The answer to `status`. */
export interface StatusAnswer {
  readonly watchdog: WatchdogStatus;
  readonly targets: readonly TargetStatus[];
}

/** The answer to `why` and, without `follow`, to `events`. */
export interface EventsAnswer {
  readonly events: readonly Event[];
}

/** What came of an order for one target. */
export interface Result {
  readonly target: string;
  readonly ok: boolean;
  readonly message: string;
}

/** The answer to an order. */
export interface OrderAnswer {
  readonly results: readonly Result[];
  /** Of a reload of the configuration: names of targets. */
  readonly changes?: Changes;
  readonly warnings?: readonly string[];
}

/** The answer to everything that is refused. */
export interface Refusal {
  readonly error: string;
}
