/**
 * The loop: let what is due happen, answer operators, give the host one order, wait for
 * something to happen. What that means for the targets is said in `fleet.ts`.
 */
import type { OrderAnswer } from '../control/protocol.ts';
import type { OwnReport } from '../core/report.ts';
import type { TargetState } from '../core/types.ts';
import { type Host, isStopSignal } from '../host/host.ts';
import type { Plan } from '../plan/plan.ts';
import type { Log } from '../system/log.ts';
import type { Desk } from './desk.ts';
import { type Fleet, openFleet } from './fleet.ts';
import type { Leaving } from './leaving.ts';
import type { Memory } from './memory.ts';
import { titleMaker } from './title.ts';

/** All that the brain works with. */
export interface BrainOptions {
  readonly memory: Memory;
  readonly host: Host;
  readonly log: Log;
  /** End as soon as all are up, have failed, or can't be told. */
  readonly isOnce: boolean;
  /** The plan is another one from now on. */
  readonly onPlan: (plan: Plan) => void;
}

/** What it came to: over, with `isOnce` how the targets are, or that it sleeps until there is something to do. */
export type Outcome =
  | { readonly kind: 'over'; readonly status: number }
  | { readonly kind: 'once'; readonly targets: 'up' | 'down' | 'unknown' }
  | { readonly kind: 'rests' };

/** Watches until told to stop, or until the host can do it alone for a while. */
export async function runBrain({ host, isOnce, log, memory, onPlan }: BrainOptions): Promise<Outcome> {
  let title = makeTitle();
  let desk = null as Desk | null;
  const fleet: Fleet = await openFleet({
    memory,
    host,
    log,
    title: (words) => title(words),
    onTold: (member, entry) => desk?.told(member, entry),
  });
  if (!host.mayRest && !isOnce) await openDesk();

  for (;;) {
    await desk?.work();
    if (desk?.wantsEnd() === true && fleet.leaving === null) await fleet.leave(byOperator());
    if (!host.hasPending()) {
      await fleet.passTime();
      await desk?.work();
      log.flush();
      const over = fleet.leaving === null ? fleet.whyOver() : null;
      if (over !== null) await fleet.leave(over);
      if (fleet.leaving !== null && fleet.hasLeft()) return end(fleet.leaving);
      const outcome = isOnce ? outcomeOf(fleet.members.map(({ state }) => state)) : null;
      if (outcome !== null) return { kind: 'once', targets: outcome };
      if (mayRest()) {
        desk?.close();
        host.end(fleet.order('rest'), 'rest');
        return { kind: 'rests' };
      }
      host.commit(fleet.order());
    }
    const event = await host.wait();
    if (event?.kind === 'host-gone') return end({ why: 'the sentinel was killed', signal: null, status: 0 });
    if (event?.kind === 'signal') await onSignal(event.signal);
    else if (event?.kind === 'connect') await openDesk();
    else if (event !== null) fleet.take(event);
  }

  function mayRest(): boolean {
    if (!host.mayRest || host.hasPending() || desk?.isIdle() === false) return false;
    return fleet.mayRest(fleet.deadlineAtMs());
  }

  function end({ status, why }: Leaving): Outcome {
    log.report(farewell(fleet, why));
    desk?.close();
    const code = status ?? fleet.exitStatus();
    host.end(fleet.order(), code);
    return { kind: 'over', status: code };
  }

  function makeTitle(): (words: string) => string {
    return titleMaker(memory.plan.name, (text) => fleet.members.some(({ wanted }) => wanted.selector.matches?.(text)));
  }

  async function onSignal(signal: string): Promise<void> {
    const { forwards } = fleet.plan;
    const name = signal.replace(/^SIG/, '');
    if (isStopSignal(signal)) return onStopSignal(signal, forwards === null ? null : (forwards[name] ?? null));
    if (forwards !== null) return fleet.forward(forwards[name] ?? name);
    if (signal === 'SIGHUP' && fleet.plan.config !== null) await reload();
    if (signal === 'SIGHUP' || signal === 'SIGUSR1') log.reopen();
    if (signal === 'SIGUSR2') await fleet.lookAtAll();
  }

  /** The first one begins the end. The next is handed on as well, or means: now. `rewritten`: what a program gets in its place. */
  async function onStopSignal(signal: string, rewritten: string | null): Promise<void> {
    const { forwards } = fleet.plan;
    const isPlain = signal === 'SIGTERM' || forwards === null;
    const sent = rewritten ?? (isPlain ? null : signal.replace(/^SIG/, ''));
    if (fleet.leaving === null) await fleet.leave({ why: signal, signal: sent, status: forwards === null ? 0 : null });
    else if (forwards !== null) await fleet.forward(sent ?? 'TERM');
    else await fleet.hurryLeave();
  }

  /** From the first connection on, the desk is open for as long as this brain is awake. */
  async function openDesk(): Promise<void> {
    if (desk !== null || host.control === null) return;
    host.stayResponsive();
    const opened = await import('./desk.ts');
    desk = await opened.openDesk({ fleet, host, reload });
  }

  /** The new configuration wholly, or not at all; both are told. */
  async function reload(): Promise<OrderAnswer> {
    const { config } = fleet.plan;
    if (config === null) {
      log.reopen();
      return {
        results: [{ target: '', ok: true, message: 'there is no configuration file; the log was opened anew' }],
      };
    }
    const { readAgain } = await import('./reload.ts');
    const read = await readAgain(fleet.plan, config, process.env);
    if (read.kind === 'refused') {
      const problems = read.problems.map(({ what, where }) => `${where}: ${what}`);
      for (const problem of problems) log.report({ kind: 'reload-refused', problem });
      return { results: problems.map((message) => ({ target: '', ok: false, message })) };
    }
    onPlan(read.plan);
    const changes = await fleet.replace(read.plan);
    title = makeTitle();
    log.report({ kind: 'reloaded', file: config, ...changes });
    for (const text of read.warnings) log.report({ kind: 'warning', text });
    const message = `${config} was reloaded`;
    return { results: [{ target: '', ok: true, message }], changes, warnings: read.warnings };
  }
}

/** A program of the command line ends as it does, whoever has asked for it. */
function byOperator(): Leaving {
  return { why: 'asked by an operator', signal: null, status: 0 };
}

function farewell({ members }: Fleet, why: string): OwnReport {
  const stillRuns = members.flatMap(({ state: { command, phase } }) =>
    command !== null && (phase.kind === 'recovering' || phase.kind === 'confirming') ? [command.pid] : [],
  );
  return { kind: 'stopped', why, stillRuns };
}

/** `null` while one of them has neither come up nor failed. */
function outcomeOf(states: readonly TargetState[]): 'up' | 'down' | 'unknown' | null {
  const outcomes = states.map(({ blind, phase }) => {
    if (blind !== null) return 'unknown';
    switch (phase.kind) {
      case 'up':
        return 'up';
      case 'backing-off':
      case 'waiting':
      case 'paused':
      case 'stopped':
      case 'exited':
        return 'down';
      default:
        return null;
    }
  });
  if (outcomes.includes(null)) return null;
  return outcomes.includes('unknown') ? 'unknown' : outcomes.includes('down') ? 'down' : 'up';
}
