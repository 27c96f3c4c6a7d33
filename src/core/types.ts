/**
 * Every noun of the rules. Plain data throughout: a state can be written out as
 * JSON, read back, and stepped on from there.
 *
 * Moments are milliseconds of a monotonic clock and end in `AtMs`; spans end in `Ms`.
 */

/**
 * One process for as long as it lives. The number alone is no identity, since the
 * kernel uses it again; number and start time together are one within a boot.
 * `startTime` is opaque here: only the reader that made it knows its unit.
 */
export interface Identity {
  readonly pid: number;
  readonly startTime: number;
}

/** A process that was seen to match, with what is said of it in the log. */
export interface Seen extends Identity {
  readonly commandLine: string;
}

/** One of those that descend from a program of ours, wherever they have run to. */
export interface Relative extends Seen {
  /** Its process group (setpgid(2)). */
  readonly group: number;
}

/** How a process ended, as far as anybody could tell. Signals without `SIG`: `KILL`. */
export type Death =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string; readonly outOfMemory?: true }
  | { readonly kind: 'unknown' };

/**
 * What one look at the machine said. `unknown` means that we could not look:
 * it is never a reason to recover.
 */
export type Observation =
  | {
      readonly kind: 'present';
      readonly seen: readonly Seen[];
      /** Of a program of ours: all that live of it, those in `seen` among them. */
      readonly family?: readonly Relative[];
    }
  | {
      readonly kind: 'absent';
      readonly seen: readonly Seen[];
      readonly why: string | null;
      readonly family?: readonly Relative[];
      /** So many came and went meanwhile that one may have handed over to another unseen. */
      readonly isUnsteady?: true;
    }
  | { readonly kind: 'unknown'; readonly why: string };

/** A complete look that found none, or fewer than must be there. */
export type Absence = Extract<Observation, { kind: 'absent' }>;

/** An observation that did see. */
export type Sight = Exclude<Observation, { kind: 'unknown' }>;

/** `null` is the plain loop: the next try comes one interval later, always. */
export type Backoff = { readonly minMs: number; readonly maxMs: number } | null;

/** One thing to watch, normalized: all that the rules need to know of it. */
export interface Target {
  /** What the log calls it: the pattern, or the pid-file where there is no pattern. */
  readonly label: string;
  /** What the user named it, or the label. */
  readonly name: string;
  /** The recovery, a command for `/bin/sh -c`. */
  readonly recover: string;
  /** The PATH that the recovery is started with, for when its command is not found. */
  readonly recoverPath: string;
  /** How many must be there. */
  readonly min: number;
  /** How many may be there; `null` for any number. */
  readonly max: number | null;
  readonly intervalMs: number;
  readonly confirmMs: number;
  readonly startDelayMs: number;
  readonly startGraceMs: number;
  readonly settleMs: number;
  readonly recoverTimeoutMs: number;
  readonly backoff: Backoff;
  readonly stop: StopRule;
  /** It is a program of ours, which `recover` starts; `null`: one that others start, too. */
  readonly program: ProgramRule | null;
  /** Say what would be recovered, start nothing. */
  readonly dryRun: boolean;
  /**
   * Whether the host hears of a death by itself. Where it doesn't, a target that
   * is up is looked at every interval.
   */
  readonly deathsAreTold: boolean;
  /** Another target, by name, that must be up before this one is recovered and isn't; `null` if nothing is in the way. */
  readonly waitsFor: string | null;
}

/** What is fixed of a target; the rest changes with the machine and the other targets. */
export type TargetRules = Omit<Target, 'deathsAreTold' | 'waitsFor'>;

/** How a program of ours is kept. */
export interface ProgramRule {
  /** Whether the watch begins with starting it. */
  readonly autostart: boolean;
  /** Whether it is started again once it has ended: always, never, or if its end was not expected. */
  readonly autorestart: 'always' | 'never' | 'unexpected';
  /** Exit statuses that are no failure; to be killed never is expected. */
  readonly expectedExitCodes: readonly number[];
  /** Its command only starts it, and ends. Otherwise it is found out whether it does. */
  readonly daemonizes: boolean;
  /** It has our terminal: that somebody ends it by the keys for that is a wish, and no failure. */
  readonly isAtTerminal: boolean;
  /** Who of it is ended: all that descend from it, or only the process that is followed. */
  readonly ends: 'family' | 'process';
}

/** How a target is ended when an operator asks for it. */
export interface StopRule {
  /** A command for `/bin/sh -c` that ends it; `null`: it is sent the signal. */
  readonly command: string | null;
  /** Without `SIG`: `TERM`. */
  readonly signal: string;
  /** How long it may take to end before it is sent KILL. */
  readonly timeoutMs: number;
}

/** The recovery's own process while it runs; there is never more than one. */
export interface Command extends Identity {
  /** What it was last told to end by; `gave-up` when even KILL did not end it. */
  readonly stopping: null | 'TERM' | 'KILL' | 'gave-up';
}

/** Someone that was followed and is gone. */
export interface Loss {
  readonly seen: Seen;
  readonly how: Death;
  /** Who told how: the kernel, of that process, or the shell that ran the recovery, of whatever it ran last. */
  readonly toldBy: 'kernel' | 'shell';
  /** It was never followed: this one had left it behind. */
  readonly leftBy?: number;
}

/** What is known of the recovery that is under way. */
export interface Attempt {
  readonly startedAtMs: number;
  /** How the recovery's command ended; `null` while it runs. */
  readonly exited: {
    readonly pid: number;
    readonly atMs: number;
    readonly how: Death;
    readonly wasStopped: boolean;
  } | null;
  /** Who had appeared and is gone again, if anybody. */
  readonly loss: (Loss & { readonly livedMs: number }) | null;
}

/**
 * Where a target is in its life; exactly one, with its data inside.
 * `lookAtMs` is when to look next; `null` where only an event can change anything.
 */
export type Phase =
  /** Never seen yet. `absentAtMs`: when a complete look first found nothing; `isHeld`: then it is not started either. */
  | {
      readonly kind: 'looking';
      readonly absentAtMs: number | null;
      readonly isHeld?: true;
      readonly lookAtMs: number;
    }
  /** There. `followed` are the oldest that match, as many as must be there. */
  | {
      readonly kind: 'up';
      readonly followed: readonly Seen[];
      readonly sinceMs: number;
      /** How the recovery that brought it back has just ended, if it did: likely with the target. */
      readonly commandEnd: Death | null;
      /** The host has started the next one already, and is about to tell of the end. */
      readonly replacement?: Identity;
      readonly lookAtMs: number | null;
    }
  /** Gone; may be a planned restart. At `dueAtMs` a look that finds nothing decides. */
  | { readonly kind: 'confirming'; readonly goneAtMs: number; readonly dueAtMs: number; readonly lookAtMs: number }
  /** The recovery was started; the target is not there (any more). At `failAtMs` a look that finds nothing decides. */
  | ({ readonly kind: 'recovering'; readonly failAtMs: number; readonly lookAtMs: number } & Attempt)
  /** There again; must still be there at `dueAtMs`. */
  | ({
      readonly kind: 'settling';
      readonly followed: readonly Seen[];
      readonly seenAtMs: number;
      readonly dueAtMs: number;
      readonly lookAtMs: number;
    } & Attempt)
  /** The last recovery failed; the next comes at `dueAtMs`. */
  | { readonly kind: 'backing-off'; readonly dueAtMs: number; readonly lookAtMs: number }
  /** Not there, and not recovered before the target `on` is up. */
  | { readonly kind: 'waiting'; readonly on: string; readonly cause: string; readonly lookAtMs: number }
  /** An operator wants it left alone until `untilAtMs`; `null`: until told otherwise. `lookAtMs` is the same moment. */
  | {
      readonly kind: 'paused';
      readonly followed: readonly Seen[];
      readonly untilAtMs: number | null;
      readonly reason: string | null;
      readonly lookAtMs: number | null;
    }
  /** An operator wants it ended. `followed` are all that match; at `dueAtMs` those who are left are sent KILL. */
  | {
      readonly kind: 'stopping';
      readonly followed: readonly Seen[];
      readonly sent: null | 'command' | 'signal' | 'KILL' | 'gave-up';
      /** Who was sent the signal. */
      readonly told: readonly Identity[];
      readonly next: 'stopped' | 'recover' | 'leave';
      readonly dueAtMs: number;
      /** When a recovery that still runs is told (again) to end; `null` while the target may end it by its own end. */
      readonly commandDueAtMs: number | null;
      readonly lookAtMs: number;
    }
  /** Ended by an operator, and left so until told otherwise. `followed`: who was there all the same at the last look. */
  | {
      readonly kind: 'stopped';
      readonly followed: readonly Seen[];
      /** Not by an operator: the watch ends. The next one knows nothing of it. */
      readonly isLeft?: true;
      readonly lookAtMs: number | null;
    }
  /** A program of ours has ended. A look tells who of it is left: whoever has taken over, or must be ended first. */
  | {
      readonly kind: 'ending';
      readonly loss: Loss & { readonly livedMs: number };
      /** Whether it had lasted for long enough to count as started. */
      readonly hadStarted: boolean;
      readonly startedAtMs: number;
      readonly sent: null | 'signal' | 'KILL' | 'gave-up';
      /** Whom it had left behind and who then failed: what it came to, if nobody of it is left. */
      readonly orphan?: { readonly pid: number; readonly how: Death };
      /** An operator has asked for it meanwhile: it is started again however it ended. */
      readonly isWanted?: true;
      readonly dueAtMs: number;
      readonly lookAtMs: number;
    }
  /** A program of ours has ended, and is not to be started again. */
  | { readonly kind: 'exited'; readonly loss: Loss; readonly lookAtMs: number | null };

/** A phase of one kind. */
export type PhaseOf<K extends Phase['kind']> = Extract<Phase, { kind: K }>;

/** All that is remembered of a target between two steps. */
export interface TargetState {
  readonly phase: Phase;
  readonly command: Command | null;
  /** Recoveries that failed in a row; forgotten after a minute up. */
  readonly failures: number;
  /** Why the last look could not look; `null` when it could. */
  readonly blind: string | null;
  /** How many more than allowed the last look saw. */
  readonly surplus: number;
  /** For the jitter of the back-off. */
  readonly seed: number;
}

/** Something that happened: past tense. */
export type Input =
  | { readonly kind: 'observed'; readonly observation: Observation }
  | { readonly kind: 'died'; readonly identity: Identity; readonly how: Death }
  | { readonly kind: 'recovery-started'; readonly identity: Identity }
  | { readonly kind: 'recovery-exited'; readonly pid: number; readonly how: Death }
  /** After the process `of` somebody whom it had left behind has ended, and failed. */
  | { readonly kind: 'orphan-died'; readonly of: number; readonly pid: number; readonly how: Death }
  | { readonly kind: 'recovery-not-started'; readonly why: string }
  /** In the moment that the program ended the host has started the next one, as it was told to. */
  | { readonly kind: 'replaced'; readonly identity: Identity }
  | { readonly kind: 'asked'; readonly order: OperatorOrder }
  /** What it waited for is up. */
  | { readonly kind: 'unblocked' }
  | { readonly kind: 'time-passed' };

/** What an operator can ask of a target's life. */
export type OperatorOrder =
  | { readonly verb: 'pause'; readonly forMs: number | null; readonly reason: string | null }
  | { readonly verb: 'resume' }
  | { readonly verb: 'start' }
  | { readonly verb: 'stop' }
  | { readonly verb: 'restart' }
  | { readonly verb: 'recover' }
  /** The watch ends, and with it a program of ours. */
  | { readonly verb: 'leave' };

/** Something to tell: becomes one line of the log. */
export type Report =
  | { readonly kind: 'waiting'; readonly startDelayMs: number }
  | { readonly kind: 'watching'; readonly sight: Sight }
  /** `confirmMs`: how long it may now take to come back by itself; 0 after a crash. */
  | { readonly kind: 'gone'; readonly loss: Loss; readonly confirmMs: number }
  /** Gone, and another is there: noticed only afterwards. */
  | { readonly kind: 'replaced'; readonly losses: readonly Loss[]; readonly seen: readonly Seen[] }
  | { readonly kind: 'came-back'; readonly seen: readonly Seen[]; readonly afterMs: number | null }
  | { readonly kind: 'recovering'; readonly attempt: number }
  | { readonly kind: 'would-recover'; readonly nextMs: number }
  | { readonly kind: 'recovered'; readonly seen: readonly Seen[]; readonly afterMs: number; readonly attempt: number }
  | {
      readonly kind: 'recovery-failed';
      readonly why: FailureReason;
      readonly attempt: number;
      readonly nextMs: number;
    }
  | { readonly kind: 'backing-off'; readonly failures: number }
  | { readonly kind: 'stopping-recovery'; readonly pid: number; readonly signal: 'TERM' | 'KILL'; readonly why: string }
  | { readonly kind: 'recovery-stuck'; readonly pid: number }
  | { readonly kind: 'blind'; readonly why: string }
  | { readonly kind: 'sighted' }
  | { readonly kind: 'waiting-for'; readonly on: string }
  | { readonly kind: 'too-many'; readonly seen: number; readonly max: number }
  | { readonly kind: 'no-longer-too-many'; readonly seen: number }
  | { readonly kind: 'paused'; readonly forMs: number | null; readonly reason: string | null }
  /** What an operator told the watchdog before this one. */
  | { readonly kind: 'still-paused'; readonly forMs: number | null; readonly reason: string | null }
  | { readonly kind: 'still-stopped' }
  | { readonly kind: 'resumed'; readonly why: 'asked' | 'time' }
  | { readonly kind: 'gone-while-paused'; readonly loss: Loss }
  | { readonly kind: 'stopping'; readonly seen: readonly Seen[]; readonly by: string; readonly isLeaving: boolean }
  | { readonly kind: 'stop-late'; readonly seen: readonly Seen[] }
  | { readonly kind: 'stop-stuck'; readonly seen: readonly Seen[] }
  | { readonly kind: 'stopped-target'; readonly next: 'stopped' | 'recover' | 'leave' }
  /** A program of ours has ended. `retry`: it had not lasted, and is tried again later, which is told by itself. */
  | {
      readonly kind: 'exited';
      readonly loss: Loss;
      readonly isExpected: boolean;
      readonly next: 'start' | 'retry' | 'none';
    }
  /** Its command has ended, and left others that go on. */
  | { readonly kind: 'daemonized'; readonly loss: Loss; readonly seen: readonly Seen[] }
  /** Those that a program has left behind are ended before it is started again. */
  | { readonly kind: 'leftover'; readonly seen: readonly Seen[]; readonly signal: string }
  | { readonly kind: 'not-autostarted' }
  /** The configuration has other settings for it now, or none any more. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'removed' }
  /** Something that an operator wanted done and that changes nothing in the target's life, such as a signal. */
  | { readonly kind: 'asked'; readonly what: string }
  /** What came of a reload. */
  | { readonly kind: 'reload-ended'; readonly ok: boolean; readonly message: string }
  /** A command of the target other than its recovery. */
  | {
      readonly kind: 'command-failed';
      readonly what: 'stop' | 'reload' | 'on-event' | 'webhook';
      readonly why: string;
    };

/** Why a recovery counts as failed. */
export type FailureReason =
  | { readonly kind: 'not-started'; readonly why: string }
  | { readonly kind: 'timed-out'; readonly limitMs: number }
  | { readonly kind: 'never-appeared'; readonly exited: Death; readonly waitedMs: number; readonly sight: Absence }
  | { readonly kind: 'died-again'; readonly loss: Loss; readonly livedMs: number };

/** Something to do: imperative. Carried out in order, after the new state is stored. */
export type Action =
  | { readonly kind: 'look' }
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'start-recovery'; readonly attempt: number; readonly cause: string }
  | { readonly kind: 'stop-recovery'; readonly command: Identity; readonly signal: 'TERM' | 'KILL' }
  /** The target's own command to end it. */
  | { readonly kind: 'start-stop' }
  /** To these processes and no others, whoever has their numbers by then. */
  | { readonly kind: 'signal'; readonly identities: readonly Identity[]; readonly signal: string };

/** What a step answers. */
export interface Step {
  readonly state: TargetState;
  readonly actions: readonly Action[];
}
