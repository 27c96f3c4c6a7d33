/**
 * All targets of a watch at work: what happened becomes an input of one of them, what the
 * rules say becomes lines of the log and one order for the host. Nothing is decided here.
 * Lines are written before the order that goes with them: should we end in between, they
 * are written twice, but never is anything started without a line, or twice.
 */
import { findWaitedFor, withDependencies } from '../core/fleet.ts';
import { mayRest } from '../core/rest.ts';
import { followed, initialState, isSame, wakeAtMs } from '../core/state.ts';
import { step } from '../core/step.ts';
import type { Action, Death, Identity, Input, Report, Target, TargetState } from '../core/types.ts';
import type { Host, HostEvent, Order } from '../host/host.ts';
import { commandsOf, type TargetPlan, toOnlooker, toWanted } from '../plan/plan.ts';
import { explainNotStarted } from '../system/child.ts';
import type { Log } from '../system/log.ts';
import { type Onlooker, observe, type Wanted } from '../system/look.ts';
import type { OomMark } from '../system/oom.ts';
import { marksFor, withCause } from './cause.ts';
import { explainEnd } from './command-end.ts';
import { type Entry, toEntry, withEntry } from './history.ts';
import { type Job, withIdentity, withJob, withoutJob } from './jobs.ts';
import type { Memory, Remembered } from './memory.ts';

/** One target at work; what changes of it is exchanged as a whole, never in parts. */
export interface Member {
  readonly plan: TargetPlan;
  readonly wanted: Wanted;
  state: TargetState;
  isUnwatched: boolean;
  oomMarks: readonly OomMark[];
  recoveries: number;
  history: readonly Entry[];
}

export interface Fleet {
  readonly members: readonly Member[];
  /** Looks at whatever is due. */
  passTime(): Promise<void>;
  /** Goes on from what the host told. */
  take(event: HostEvent): Promise<void>;
  /** Looks at all of them, whatever was planned. */
  lookAtAll(): Promise<void>;
  /** All that is to be kept and waited for now. */
  order(): Order;
  /** When something is due; `null` if only an event can change anything. */
  deadlineAtMs(): number | null;
  /** Whether nothing is going on that a brain must stay for, but for what is due by then. */
  mayRest(deadlineAtMs: number | null): boolean;
}

export interface FleetOptions {
  readonly memory: Memory;
  readonly host: Host;
  readonly log: Log;
  readonly write: (memory: Memory) => string;
  readonly title: (words: string) => string;
  readonly words: (states: readonly TargetState[]) => string;
}

/** What the rules want done, until it goes into an order. */
interface Deeds {
  starts: Order['starts'][number][];
  signals: Order['signals'][number][];
  kills: Order['kills'][number][];
}

const NO_DEEDS: Pick<Order, 'starts' | 'signals' | 'kills'> = { starts: [], signals: [], kills: [] };

/** Goes on from a memory. */
export async function openFleet({ host, log, memory, title, words, write }: FleetOptions): Promise<Fleet> {
  const { plan } = memory;
  const onlooker: Onlooker = toOnlooker(plan.onlooker, commandsOf(plan.targets));
  const members = await Promise.all(plan.targets.map((target, at) => toMember(target, memory.targets?.[at])));
  const byName = new Map(members.map((member) => [member.plan.rules.name, member]));
  const dependents = toDependents(members);
  const looks = new Set<Member>();
  let jobs = memory.jobs;
  let deeds: Deeds = { starts: [], signals: [], kills: [] };

  return {
    members,
    async passTime() {
      for (const member of members) input(member, { kind: 'time-passed' });
      await settle();
    },
    async take(event) {
      onEvent(event);
      await settle();
    },
    async lookAtAll() {
      for (const member of members) looks.add(member);
      await settle();
    },
    order: () => orderOf(NO_DEEDS),
    deadlineAtMs,
    mayRest(byMs) {
      return members.every(({ state }) => mayRest(state, byMs, plan.lingerMs, host.nowMs()));
    },
  };

  async function toMember(target: TargetPlan, remembered: Remembered | undefined): Promise<Member> {
    const wanted = await toWanted(target.look);
    if (remembered !== undefined) return { plan: target, wanted, ...remembered };
    const rules: Target = { ...target.rules, deathsAreTold: host.tellsDeaths, waitsFor: null };
    if (rules.startDelayMs > 0) log.reportOn(rules, { kind: 'waiting', startDelayMs: rules.startDelayMs });
    const seed = Math.floor(Math.random() * 2 ** 32);
    const state = initialState(rules, seed, host.nowMs());
    return { plan: target, wanted, state, isUnwatched: false, oomMarks: [], recoveries: 0, history: [] };
  }

  function onEvent(event: HostEvent): void {
    switch (event.kind) {
      case 'died':
        for (const member of followersOf(event.identity)) died(member, event.identity, event.how);
        return;
      case 'unwatched':
        unwatched(event.identity, event.why);
        return;
      case 'child-started':
        started(event.id, event.identity);
        return;
      case 'child-not-started': {
        const job = jobs.running.find(({ id }) => id === event.id);
        const member = byName.get(job?.target ?? '');
        if (job === undefined || member === undefined) return;
        ended(job, explainNotStarted(event, member.plan, plan.log.path ?? 'standard output'), null);
        return;
      }
      case 'child-exited': {
        const job = jobs.running.find(({ identity }) => identity?.pid === event.pid);
        if (job !== undefined) ended(job, explainEnd(event.how), event.how);
        return;
      }
      case 'signal':
      case 'lock':
      case 'host-gone':
        return;
    }
  }

  function followersOf(identity: Identity): readonly Member[] {
    return members.filter(({ state }) => followed(state).some((one) => isSame(one, identity)));
  }

  function died(member: Member, identity: Identity, told: Death): void {
    input(member, { kind: 'died', identity, how: withCause(identity, told, member.oomMarks) });
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

  /** `how`: `null` if it never ran. `why`: what is wrong with that, `null` if nothing. */
  function ended(job: Job, why: string | null, how: Death | null): void {
    jobs = withoutJob(jobs, job);
    const member = byName.get(job.target);
    if (member === undefined) return;
    if (job.kind !== 'recovery') {
      if (why !== null) tell(member, { kind: 'command-failed', what: job.kind, why });
      looks.add(member);
    } else if (how === null) input(member, { kind: 'recovery-not-started', why: why ?? '' });
    else input(member, { kind: 'recovery-exited', pid: job.identity?.pid ?? 0, how });
  }

  /** Takes one input, and notes what follows from it. */
  function input(member: Member, what: Input): void {
    const wasUp = member.state.phase.kind === 'up';
    const { actions, state } = step(targetOf(member), member.state, what, host.nowMs());
    member.state = state;
    member.oomMarks = marksFor(followed(state), member.oomMarks);
    for (const action of actions) note(member, action);
    if (wasUp || state.phase.kind !== 'up') return;
    for (const other of dependents.get(member.plan.rules.name) ?? []) input(other, { kind: 'unblocked' });
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
        member.recoveries += 1;
        const context = { WATCHDOG_CAUSE: action.cause, WATCHDOG_ATTEMPT: String(action.attempt) };
        start(member, 'recovery', member.plan.rules.recover, context);
        return;
      }
      case 'start-stop':
        start(member, 'stop', member.plan.rules.stop.command ?? '', { WATCHDOG_CAUSE: 'stop' });
        return;
      case 'stop-recovery':
        deeds.signals.push({ pid: action.command.pid, signal: action.signal });
        return;
      case 'signal':
        for (const identity of action.identities) deeds.kills.push({ identity, signal: action.signal });
        return;
    }
  }

  function tell(member: Member, report: Report): void {
    log.reportOn(member.plan.rules, report);
    member.history = withEntry(member.history, toEntry(member.plan.rules, report, Date.now()));
  }

  function start(member: Member, kind: Job['kind'], command: string, context: Readonly<Record<string, string>>): void {
    const { cwd, rules, set } = member.plan;
    const id = jobs.nextId;
    jobs = withJob(jobs, kind, rules.name);
    const own = { WATCHDOG_TARGET: rules.name, WATCHDOG_BY: String(host.pid), ...context };
    const { unset } = plan.start;
    deeds.starts.push({ id, spec: { command, cwd, set: { ...set, ...own }, unset, output: log.output() } });
  }

  /** Does what is to be done, and looks, until neither is left. */
  async function settle(): Promise<void> {
    commitDeeds();
    while (looks.size > 0) {
      const batch = withDependenciesOf(looks);
      looks.clear();
      const questions = batch.map(({ state, wanted }) => ({ wanted, followed: followed(state) }));
      const observations = await observe(onlooker, questions);
      batch.forEach((member, at) => {
        const observation = observations[at];
        if (observation !== undefined) input(member, { kind: 'observed', observation });
      });
      commitDeeds();
    }
  }

  /** What they depend on is looked at with them, and before: it may have gone at the same moment. */
  function withDependenciesOf(some: ReadonlySet<Member>): readonly Member[] {
    const names = [...some].map(({ plan: { rules } }) => rules.name);
    const all = withDependencies(names, (name) => byName.get(name)?.plan.dependsOn ?? []);
    return all.flatMap((name) => byName.get(name) ?? []);
  }

  function commitDeeds(): void {
    const { kills, signals, starts } = deeds;
    if (kills.length + signals.length + starts.length === 0) return;
    deeds = { starts: [], signals: [], kills: [] };
    host.commit(orderOf({ kills, signals, starts }));
  }

  function targetOf({ isUnwatched, plan: { dependsOn, rules } }: Member): Target {
    const waitsFor = findWaitedFor(dependsOn, (name) => byName.get(name)?.state);
    return { ...rules, deathsAreTold: host.tellsDeaths && !isUnwatched, waitsFor };
  }

  function orderOf(what: Pick<Order, 'starts' | 'signals' | 'kills'>): Order {
    const remembered = members.map(({ plan: _, wanted: __, ...rest }): Remembered => rest);
    const states = members.map(({ state }) => state);
    return {
      memory: () => write({ plan, targets: remembered, jobs }),
      title: title(words(states)),
      watch: watchList(what.kills.map(({ identity }) => identity)),
      deadlineAtMs: deadlineAtMs(),
      ...what,
    };
  }

  /** Everybody that is followed, once; and those who are to be signalled, which is done by the watch. */
  function watchList(others: readonly Identity[]): readonly Identity[] {
    const all = members.flatMap(({ isUnwatched, state }) => (isUnwatched ? [] : followed(state)));
    const known = new Map([...all, ...others].map((one) => [`${one.pid} ${one.startTime}`, one]));
    return [...known.values()];
  }

  function deadlineAtMs(): number | null {
    return [...members.map(({ state }) => wakeAtMs(state)), log.retryAtMs()].reduce(earliest, null);
  }
}

/** Who waits for whom: by name, those that depend on it. */
function toDependents(members: readonly Member[]): ReadonlyMap<string, readonly Member[]> {
  const dependents = new Map<string, Member[]>();
  for (const member of members) {
    for (const name of member.plan.dependsOn) dependents.set(name, [...(dependents.get(name) ?? []), member]);
  }
  return dependents;
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null) return other;
  return other === null ? one : Math.min(one, other);
}
