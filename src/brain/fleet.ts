/**
 * All targets of a watch at work: what happened becomes an input of one of them, what the
 * rules say becomes lines of the log and one order for the host. Nothing is decided here.
 * Lines are written before the order that goes with them: should we end in between, they
 * are written twice, but never is anything started without a line, or twice.
 */
import { findWaitedFor, isThere, withDependencies } from '../core/fleet.ts';
import { hurryStop } from '../core/operator.ts';
import { mayHaveLeft } from '../core/program.ts';
import type { Changes } from '../core/report.ts';
import { mayRest } from '../core/rest.ts';
import { followed, isSame, wakeAtMs } from '../core/state.ts';
import { step } from '../core/step.ts';
import type { Action, Death, Identity, Input, OperatorOrder, Report, Target } from '../core/types.ts';
import type { Host, HostEvent, Order } from '../host/host.ts';
import { commandsOf, keptOutputOf, type Plan, type TargetPlan, toOnlooker } from '../plan/plan.ts';
import { type ChildSpec, explainNotStarted } from '../system/child.ts';
import type { Log } from '../system/log.ts';
import type { Onlooker } from '../system/look.ts';
import { observe } from '../system/observe.ts';
import { beginMember } from './begin-member.ts';
import { marksFor, withCause } from './cause.ts';
import { toChildSpec, type Variables } from './child-spec.ts';
import { explainEnd } from './command-end.ts';
import { type Done, NOTHING_DONE, noDeeds, toDone } from './deeds.ts';
import type { Entry } from './history.ts';
import { type Job, nextLimitAtMs, overdue, withIdentity, withJob, withoutJob } from './jobs.ts';
import { exitStatusOf, hasLeft, inPriority, isOver, type Leaving, nextToLeave, patienceEndsAtMs } from './leaving.ts';
import { type Member, questionOf, toDependents, toNames } from './member.ts';
import { type Memory, memoryWriter, type Remembered } from './memory.ts';
import { compare, HELD, isSamePlan, isToBeRestarted } from './plan-changes.ts';
import { toReplace } from './replacement.ts';
import { openSavedFile, readSaved, toSaved } from './saved.ts';
import { createTelling } from './telling.ts';
import { stateWords } from './title.ts';

export interface Fleet {
  readonly plan: Plan;
  readonly members: readonly Member[];
  /** Goes on with another plan: who is the same in both keeps all that is known of it. */
  replace(plan: Plan): Promise<Changes>;
  /** Looks at whatever is due. */
  passTime(): Promise<void>;
  /** Notes what the host told; what follows from it is done by `passTime`, once all that is pending was taken. */
  take(event: HostEvent): void;
  /** Looks at all of them, whatever was planned. */
  lookAtAll(): Promise<void>;
  /** Looks at those of whose state no event would tell, so that what is said of it is true now. */
  lookAtUnwatched(): Promise<void>;
  /** Does what an operator asks of a target's life. */
  ask(member: Member, order: OperatorOrder): Promise<void>;
  /** Sends a signal to all that match; how many that were. */
  signal(member: Member, signal: string, what: string): Promise<number>;
  /** Starts the target's command to read its configuration again. */
  startReload(member: Member, command: string): Promise<void>;
  /** Tells something of a target that is known elsewhere. */
  tell(member: Member, report: Report): Promise<void>;
  /** Whether a command of this kind runs for it. */
  isRunning(member: Member, kind: Job['kind']): boolean;
  /** Hands a signal on to all programs of ours. */
  forward(signal: string): Promise<void>;
  /** The watch ends, and its programs with it. */
  leave(leaving: Leaving): Promise<void>;
  /** Whoever takes long to end is not waited for any longer. */
  hurryLeave(): Promise<void>;
  /** Why the watch is about to end; `null`: it goes on. */
  readonly leaving: Leaving | null;
  /** Whether none of its programs is left. */
  hasLeft(): boolean;
  /** Why the watch should end by itself: its program has ended, or failed too often; `null`: it should not. */
  whyOver(): Leaving | null;
  /** What the end of its programs comes to as an exit code. */
  exitStatus(): number;
  /** All that is to be kept and waited for now; with what the host shall do by itself, where nobody will be awake. */
  order(isLast?: 'rest'): Order;
  /** When something is due; `null` if only an event can change anything. */
  deadlineAtMs(): number | null;
  /** Whether nothing is going on that a brain must stay for, but for what is due by then. */
  mayRest(deadlineAtMs: number | null): boolean;
}

export interface FleetOptions {
  readonly memory: Memory;
  readonly host: Host;
  readonly log: Log;
  readonly title: (words: string) => string;
  /** Hears of everything that is told of a target. */
  readonly onTold: (member: Member, entry: Entry) => void;
}

const NOTHING_SAVED: ReturnType<typeof readSaved> = { targets: [], why: null };
const START: Input = { kind: 'asked', order: { verb: 'start' } };
const RESTART: Input = { kind: 'asked', order: { verb: 'restart' } };
const LEAVE: Input = { kind: 'asked', order: { verb: 'leave' } };

/** Goes on from a memory. */
export async function openFleet({ host, log, memory, onTold, title }: FleetOptions): Promise<Fleet> {
  let plan = memory.plan;
  let jobs = memory.jobs;
  let leaving = memory.leaving;
  const inherited = memory.targets === null && plan.saved !== null ? readSaved(plan.saved) : NOTHING_SAVED;
  if (inherited.why !== null) log.report({ kind: 'warning', text: inherited.why });
  const save = openSavedFile(plan.saved, (text) => log.report({ kind: 'warning', text }));
  let onlooker: Onlooker = toOnlooker(plan.onlooker, commandsOf(plan.targets));
  let members: readonly Member[] = await Promise.all(
    plan.targets.map((target, at) =>
      beginMember(target, { remembered: memory.targets?.[at], saved: inherited.targets, jobs }, host, log),
    ),
  );
  let byName = toNames(members);
  let dependents = toDependents(members);
  const looks = new Set<Member>();
  // A later brain goes on with a watch that has long begun.
  let isReady = memory.targets !== null;
  let deeds = noDeeds();
  const write = memoryWriter();
  const tell = createTelling({ log, nowMs: host.nowMs, plan: () => plan, onTold, start });

  return {
    get plan() {
      return plan;
    },
    get members() {
      return members;
    },
    replace,
    async passTime() {
      forgetRetired();
      await endNext();
      endLate();
      for (const member of inPriority(members)) input(member, { kind: 'time-passed' });
      await settle();
      await endNext();
      isReady = true;
    },
    take: onEvent,
    get leaving() {
      return leaving;
    },
    async forward(signal) {
      for (const { state } of members.filter(({ plan: { program } }) => program !== null)) {
        if (state.command !== null) deeds.signals.push({ pid: state.command.pid, signal });
        else
          for (const { pid, startTime } of followed(state)) deeds.kills.push({ identity: { pid, startTime }, signal });
      }
      await settle();
    },
    async leave(next) {
      leaving = { ...next, sinceMs: host.nowMs() };
      await endNext();
    },
    async hurryLeave() {
      for (const member of members) member.state = hurryStop(member.state, host.nowMs());
      for (const member of members) input(member, { kind: 'time-passed' });
      await settle();
    },
    hasLeft() {
      const isLate = leaving !== null && host.nowMs() >= patienceEndsAtMs(leaving, members);
      const left = members.filter((member) => member.plan.program !== null && !hasLeft(member));
      if (isLate && left.length > 0) sayWhoStays(left);
      return isLate || left.length === 0;
    },
    whyOver,
    exitStatus: () => members.map(statusOf).find((status) => status !== 0) ?? 0,
    async lookAtAll() {
      for (const member of members) looks.add(member);
      await settle();
    },
    async lookAtUnwatched() {
      for (const member of members) if (!isKnown(member)) looks.add(member);
      await settle();
    },
    async ask(member, order) {
      input(member, { kind: 'asked', order });
      await settle();
    },
    async signal(member, signal, what) {
      const [observation] = await observe(onlooker, [questionOf(member, host.reaper)]);
      if (observation !== undefined) input(member, { kind: 'observed', observation });
      const seen = observation === undefined || observation.kind === 'unknown' ? [] : observation.seen;
      if (seen.length > 0) tell(member, { kind: 'asked', what });
      for (const { pid, startTime } of seen) deeds.kills.push({ identity: { pid, startTime }, signal });
      await settle();
      return seen.length;
    },
    async startReload(member, command) {
      tell(member, { kind: 'asked', what: `reload by ${command}` });
      start(member, 'reload', command, { WATCHDOG_CAUSE: 'reload' });
      await settle();
    },
    async tell(member, what) {
      tell(member, what);
      await settle();
    },
    isRunning: ({ plan: { rules } }, kind) =>
      jobs.running.some((job) => job.kind === kind && job.target === rules.name),
    order: (isLast) => orderOf({ ...NOTHING_DONE, replaces: isLast === 'rest' ? replacements() : [] }),
    deadlineAtMs,
    mayRest(byMs) {
      return members.every(({ state }) => mayRest(state, byMs, plan.lingerMs, host.nowMs()));
    },
  };

  function sayWhoStays(left: readonly Member[]): void {
    const names = left.map(({ plan: { rules } }) => rules.name).join(', ');
    log.report({
      kind: 'warning',
      text: `${names} could not be ended, or not be seen to end; not waited for any longer`,
    });
  }

  /** While the watch ends: the next of its programs are told to. */
  async function endNext(): Promise<void> {
    if (leaving === null) return;
    const next = nextToLeave(members);
    for (const member of next) input(member, LEAVE);
    if (next.length > 0) await settle();
  }

  function whyOver(): Leaving | null {
    const failed = members.find(({ plan: { program }, state }) => {
      const most = program?.exitOnFailure ?? null;
      return most !== null && state.failures >= most;
    });
    if (failed !== undefined) {
      const why = `${failed.plan.rules.name} failed ${failed.state.failures} times in a row (exit-on-failure)`;
      // A failure is told as one, whatever the last exit code was.
      return { why, signal: null, status: statusOf(failed) || 1 };
    }
    if (plan.forwards === null || !members.every(({ state }) => isOver(state))) return null;
    return { why: 'the program has ended', signal: null, status: null };
  }

  function statusOf({ lastEnd }: Member): number {
    return exitStatusOf(lastEnd);
  }

  function onEvent(event: HostEvent): void {
    switch (event.kind) {
      case 'died':
        for (const member of followersOf(event.identity)) died(member, event.identity, event.how);
        // A recovery of the watchdog before us: no child of ours.
        for (const member of members.filter(({ state: { command } }) => isAdopted(command, event.identity))) {
          input(member, { kind: 'recovery-exited', pid: event.identity.pid, how: event.how });
        }
        return;
      case 'unwatched':
        unwatched(event.identity, event.why);
        return;
      case 'child-started':
        if (!replaced(event.id, event.identity)) started(event.id, event.identity);
        return;
      case 'child-not-started': {
        // The host could not do what it was told to: the end that is told next is dealt with here.
        for (const member of members) if (member.nextId === event.id) member.nextId = null;
        const job = jobs.running.find(({ id }) => id === event.id);
        if (job === undefined) return;
        const cwd = byName.get(job.target)?.plan.cwd ?? null;
        ended(job, explainNotStarted(event, { cwd }, plan.log.path ?? 'standard output'), null);
        return;
      }
      case 'child-exited': {
        const job = jobs.running.find(({ identity }) => identity?.pid === event.pid);
        if (job !== undefined) ended(job, explainEnd(event.how), event.how);
        return;
      }
      case 'orphan-died': {
        const { how, of, pid } = event;
        for (const member of members) input(member, { kind: 'orphan-died', of, pid, how });
        return;
      }
      case 'signal':
      case 'lock':
      case 'connect':
      case 'host-gone':
        return;
    }
  }

  /** Whatever takes longer than it may is told to end, with all that it has started. */
  function endLate(): void {
    const { jobs: next, late } = overdue(jobs, host.nowMs());
    jobs = next;
    for (const [{ identity, kind, target }, signal] of late) {
      const pid = identity?.pid ?? 0;
      log.report({
        kind: 'warning',
        text: `the ${kind} command of ${target}, pid ${pid}, takes too long; sending ${signal}`,
      });
      deeds.signals.push({ pid, signal });
    }
  }

  function followersOf(identity: Identity): readonly Member[] {
    return members.filter(({ state }) => followed(state).some((one) => isSame(one, identity)));
  }

  function died(member: Member, identity: Identity, told: Death): void {
    const how = withCause(identity, told, member.oomMarks);
    if (member.state.phase.kind === 'stopping') member.lastEnd = how;
    input(member, { kind: 'died', identity, how });
  }

  function isAdopted(command: Identity | null, identity: Identity): boolean {
    return command !== null && isSame(command, identity) && isStrange(command);
  }

  /** Whether no job of ours has started it. */
  function isStrange(command: Identity): boolean {
    return !jobs.running.some((job) => job.identity !== null && isSame(job.identity, command));
  }

  /** Whoever follows it is looked at instead. It is said of the first; the others fare alike. */
  function unwatched(identity: Identity, why: string): void {
    if (!members.some((member) => member.isUnwatched)) {
      const text = `pid ${identity.pid} cannot be watched: ${why}; looking every interval instead`;
      log.report({ kind: 'warning', text });
    }
    for (const member of followersOf(identity)) {
      member.isUnwatched = true;
      looks.add(member);
    }
  }

  function started(id: number, identity: Identity): void {
    const job = jobs.running.find((one) => one.id === id);
    jobs = withIdentity(jobs, id, identity);
    const member = byName.get(job?.target ?? '');
    if (job?.kind === 'recovery' && member !== undefined) input(member, { kind: 'recovery-started', identity });
  }

  /** Whether it follows a program that has ended while nobody was awake. */
  function replaced(id: number, identity: Identity): boolean {
    const member = members.find(({ nextId }) => nextId === id);
    if (member === undefined) return false;
    member.nextId = null;
    member.recoveries += 1;
    const job: Job = { id, kind: 'recovery', target: member.plan.rules.name, identity, limitAtMs: null, told: null };
    jobs = { ...jobs, running: [...jobs.running, job] };
    input(member, { kind: 'replaced', identity });
    return true;
  }

  /** `how`: `null` if it never ran. `why`: what is wrong with that, `null` if nothing. */
  function ended(job: Job, why: string | null, how: Death | null): void {
    jobs = withoutJob(jobs, job);
    const member = byName.get(job.target);
    if (member === undefined) {
      log.report({ kind: 'late-end', target: job.target, what: job.kind, how: why ?? 'exit status 0' });
      return;
    }
    if (job.kind !== 'recovery') {
      if (why !== null) tell(member, { kind: 'command-failed', what: job.kind, why });
      if (job.kind === 'stop' || job.kind === 'reload') looks.add(member);
      return;
    }
    if (how !== null && member.state.phase.kind === 'stopping') member.lastEnd = how;
    if (how === null) input(member, { kind: 'recovery-not-started', why: why ?? '' });
    else input(member, { kind: 'recovery-exited', pid: job.identity?.pid ?? 0, how });
  }

  /** Takes one input, and notes what follows from it. */
  function input(member: Member, what: Input): void {
    const wasThere = isThere(member.state);
    const wasLooking = member.state.phase.kind === 'looking';
    const { actions, state } = step(targetOf(member), member.state, what, host.nowMs());
    member.state = state;
    member.oomMarks = marksFor(followed(state), member.oomMarks);
    for (const action of actions) note(member, action);
    if (wasLooking && isThere(state)) tap(member);
    if (wasThere || !isThere(state)) return;
    for (const other of dependents.get(member.plan.rules.name) ?? []) input(other, { kind: 'unblocked' });
  }

  /** A program that an earlier watchdog has started writes into a pipe that nobody reads any more. */
  function tap({ plan: { program }, state }: Member): void {
    const output = keptOutputOf(program);
    if (output === null || output.maxBytes === 0) return;
    for (const { pid, startTime } of followed(state)) deeds.taps.push({ identity: { pid, startTime }, output });
  }

  function note(member: Member, action: Action): void {
    switch (action.kind) {
      case 'look':
        looks.add(member);
        return;
      case 'report':
        tell(member, action.report);
        return;
      case 'start-recovery': {
        if (action.cause !== 'start') member.recoveries += 1;
        const context = { WATCHDOG_CAUSE: action.cause, WATCHDOG_ATTEMPT: String(action.attempt) };
        const { program, rules } = member.plan;
        start(member, 'recovery', program?.script ?? rules.recover, context);
        return;
      }
      case 'start-stop':
        start(member, 'stop', member.plan.rules.stop.command ?? '', { WATCHDOG_CAUSE: 'stop' });
        return;
      case 'stop-recovery':
        // The group of one that somebody before us has started is not known to be its own any more.
        if (isStrange(action.command)) deeds.kills.push({ identity: action.command, signal: action.signal });
        else deeds.signals.push({ pid: action.command.pid, signal: action.signal });
        return;
      case 'signal':
        for (const identity of action.identities) deeds.kills.push({ identity, signal: action.signal });
        return;
    }
  }

  function specOf(member: Member, kind: Job['kind'], command: string, context: Variables): ChildSpec {
    const by = { pid: host.pid, start: plan.start, output: log.output() };
    return toChildSpec(member.plan, kind, command, context, by);
  }

  function start(member: Member, kind: Job['kind'], command: string, context: Variables): void {
    const id = jobs.nextId;
    jobs = withJob(jobs, kind, member.plan.rules.name, host.nowMs());
    deeds.starts.push({ id, spec: specOf(member, kind, command, context) });
  }

  /** Programs that are up, and started again whatever becomes of the others: nobody need be woken before. */
  function replacements(): Order['replaces'] {
    if (leaving !== null) return [];
    return members.flatMap((member) => {
      const candidate = toReplace(member);
      if (candidate === null) return [];
      if (member.nextId === null) {
        member.nextId = jobs.nextId;
        jobs = { ...jobs, nextId: jobs.nextId + 1 };
      }
      const { context, identity, script, unless } = candidate;
      return [{ identity, id: member.nextId, spec: specOf(member, 'recovery', script, context), unless }];
    });
  }

  /** Does what is to be done, and looks, until neither is left. */
  async function settle(): Promise<void> {
    commitDeeds();
    while (looks.size > 0) {
      const batch = withDependenciesOf(looks);
      looks.clear();
      const observations = await observe(
        onlooker,
        batch.map((member) => questionOf(member, host.reaper)),
      );
      await hearOfOrphans(batch);
      batch.forEach((member, at) => {
        const observation = observations[at];
        if (observation !== undefined) input(member, { kind: 'observed', observation });
      });
      commitDeeds();
    }
  }

  /** Who has failed in the background before a look could find it: the host knows, and is asked before anything is decided. */
  async function hearOfOrphans(some: readonly Member[]): Promise<void> {
    if (!some.some(({ state }) => mayHaveLeft(state))) return;
    for (const event of await host.catchUp()) if (event.kind === 'orphan-died') onEvent(event);
  }

  /** What they depend on is looked at with them, and before: it may have gone at the same moment. */
  function withDependenciesOf(some: ReadonlySet<Member>): readonly Member[] {
    const names = [...some].map(({ plan: { rules } }) => rules.name);
    const all = withDependencies(names, (name) => byName.get(name)?.plan.dependsOn ?? []);
    return all.flatMap((name) => byName.get(name) ?? []);
  }

  function commitDeeds(): void {
    const done = toDone(deeds, jobs);
    if (done === null) return;
    deeds = noDeeds();
    host.commit(orderOf(done));
  }

  /** Whether its end would be told at once: nobody need look. */
  function isKnown({ isUnwatched, state }: Member): boolean {
    return state.phase.kind === 'up' && host.tellsDeaths && !isUnwatched;
  }

  function targetOf({ isUnwatched, plan: { dependsOn, rules } }: Member): Target {
    const waitsFor = findWaitedFor(dependsOn, (name) => byName.get(name)?.state);
    const signal = leaving?.signal ?? rules.stop.signal;
    const stop = signal === rules.stop.signal ? rules.stop : { ...rules.stop, signal };
    return { ...rules, stop, deathsAreTold: host.tellsDeaths && !isUnwatched, waitsFor };
  }

  async function replace(next: Plan): Promise<Changes> {
    const before = byName;
    const changes = compare(before, next.targets);
    for (const name of changes.removed) tell(before.get(name) as Member, { kind: 'removed' });
    const carried = await Promise.all(next.targets.map((target) => carryOver(target, before.get(target.rules.name))));
    const retiring = members.flatMap((member) => retire(member, next));
    const targets = [...next.targets, ...retiring.map((member) => member.plan)];
    goOnWith({ ...next, targets }, [...carried, ...retiring]);
    for (const member of retiring) if (member.state.phase.kind !== 'stopping') input(member, LEAVE);
    for (const member of carried) {
      const was = before.get(member.plan.rules.name);
      // Who is wanted again while it is being ended for good is started once it has.
      if (was?.plan.isRetired === true) input(member, START);
      else if (isToBeRestarted(was, member)) input(member, RESTART);
    }
    await settle();
    return changes;
  }

  /** A program that is no longer wanted is still ours until it has ended. */
  function retire(member: Member, next: Plan): readonly Member[] {
    const { program, rules } = member.plan;
    if (program === null || next.targets.some((target) => target.rules.name === rules.name)) return [];
    return [{ ...member, plan: { ...member.plan, dependsOn: [], isRetired: true } }];
  }

  function goOnWith(nextPlan: Plan, nextMembers: readonly Member[]): void {
    plan = nextPlan;
    onlooker = toOnlooker(plan.onlooker, commandsOf(plan.targets));
    members = nextMembers;
    byName = toNames(members);
    dependents = toDependents(members);
    looks.clear();
  }

  /** Programs that were removed from the configuration are forgotten once they have ended. */
  function forgetRetired(): void {
    const left = members.filter((member) => !(member.plan.isRetired && hasLeft(member)));
    if (left.length < members.length) goOnWith({ ...plan, targets: left.map((member) => member.plan) }, left);
  }

  /** What was known of a target of this name goes on, as far as it is still about the same processes. */
  async function carryOver(target: TargetPlan, before: Member | undefined): Promise<Member> {
    if (before === undefined) return beginMember(target, { saved: inherited.targets, jobs }, host, log);
    if (isSamePlan(before.plan, target)) return before;
    tell(before, { kind: 'changed' });
    if (JSON.stringify(before.plan.look) === JSON.stringify(target.look)) return { ...before, plan: target };
    const { history, lastEnd, recoveries, state } = before;
    const fresh = await beginMember(target, { saved: inherited.targets, jobs }, host, log);
    const isHeld = HELD.some((kind) => kind === state.phase.kind);
    // A recovery that still runs is this name's, whatever it looks for now; so is what an operator wants.
    const phase = isHeld ? { ...state.phase, followed: [] } : fresh.state.phase;
    return { ...fresh, history, lastEnd, recoveries, state: { ...fresh.state, command: state.command, phase } };
  }

  function orderOf(what: Done): Order {
    save(
      toSaved(
        members.map(({ plan: { rules }, state }) => [rules.name, state]),
        host.nowMs(),
      ),
    );
    const remembered = members.map(({ plan: _, wanted: __, ...rest }): Remembered => rest);
    const states = members.map(({ state }) => state);
    return {
      memory: () => write({ plan, targets: remembered, jobs, leaving }),
      isReady,
      isPatient: members.some(({ plan: { program } }) => program !== null),
      forwards: plan.forwards !== null,
      title: title(stateWords(states)),
      watch: watchList(what.kills.map(({ identity }) => identity)),
      deadlineAtMs: deadlineAtMs(),
      ...what,
    };
  }

  /** Everybody that is followed, once; and those who are to be signalled, which is done by the watch. */
  function watchList(others: readonly Identity[]): readonly Identity[] {
    const all = members.flatMap(({ isUnwatched, state }): readonly Identity[] => {
      const adopted = state.command !== null && isStrange(state.command) ? [state.command] : [];
      return isUnwatched ? adopted : [...followed(state), ...adopted];
    });
    const known = new Map([...all, ...others].map((one) => [`${one.pid} ${one.startTime}`, one]));
    return [...known.values()];
  }

  function deadlineAtMs(): number | null {
    const all = [...members.map(({ state }) => wakeAtMs(state)), log.retryAtMs(), nextLimitAtMs(jobs)];
    return all.reduce(earliest, null);
  }
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null) return other;
  return other === null ? one : Math.min(one, other);
}
