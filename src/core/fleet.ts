/**
 * The rules that hold between targets: whose recovery waits for whom. Everything else is
 * each target's own affair.
 */
import { toGlob } from './glob.ts';
import type { TargetState } from './types.ts';

/** The first of those that a target depends on which isn't up; `null` if nothing is in its way. */
export function findWaitedFor(
  dependsOn: readonly string[],
  stateOf: (name: string) => TargetState | undefined,
): string | null {
  return dependsOn.find((name) => !isThere(stateOf(name))) ?? null;
}

/** Up, or left alone by an operator while it is there. */
export function isThere(state: TargetState | undefined): boolean {
  if (state?.phase.kind === 'paused') return state.phase.followed.length > 0;
  return state?.phase.kind === 'up';
}

/** Targets that depend on each other in a circle, as a path that ends where it begins; `null` if there is none. */
export function findCycle(dependencies: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const cleared = new Set<string>();
  for (const name of dependencies.keys()) {
    const cycle = followFrom(name, dependencies, [], cleared);
    if (cycle !== null) return cycle;
  }
  return null;
}

function followFrom(
  name: string,
  dependencies: ReadonlyMap<string, readonly string[]>,
  path: readonly string[],
  cleared: Set<string>,
): readonly string[] | null {
  if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
  if (cleared.has(name)) return null;
  for (const other of dependencies.get(name) ?? []) {
    const cycle = followFrom(other, dependencies, [...path, name], cleared);
    if (cycle !== null) return cycle;
  }
  cleared.add(name);
  return null;
}

/** Those named and all that they depend on, each after what it depends on itself. There must be no circle. */
export function withDependencies(
  names: Iterable<string>,
  dependsOn: (name: string) => readonly string[],
): readonly string[] {
  const ordered = new Set<string>();
  const add = (name: string): void => {
    if (ordered.has(name)) return;
    for (const other of dependsOn(name)) add(other);
    ordered.add(name);
  };
  for (const name of names) add(name);
  return [...ordered];
}

/**
 * Which of `names` are meant by words that are names, globs (`web-*`, `?` for one
 * character) or groups; and the words that mean nobody.
 */
export function selectNames(
  words: readonly string[],
  targets: readonly { readonly name: string; readonly groups: readonly string[] }[],
): { readonly names: readonly string[]; readonly unknown: readonly string[] } {
  const chosen = new Set<string>();
  const unknown: string[] = [];
  for (const word of words) {
    const matches = toGlob(word);
    const found = targets.filter(({ name, groups }) => matches(name) || groups.some(matches));
    if (found.length === 0) unknown.push(word);
    for (const { name } of found) chosen.add(name);
  }
  return { names: targets.map(({ name }) => name).filter((name) => chosen.has(name)), unknown };
}
