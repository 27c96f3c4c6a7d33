import type { Given, RawValue } from '../../config/given.ts';
import type { OptionScope, OptionSpec } from '../../config/option-spec.ts';
import { isRepeatable, OPTION_SPECS } from '../../config/options.ts';
import { readWishes } from '../../plan/make-plan.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';
import { configPath, toWishes } from '../wishes.ts';
import { noConfig } from './config-check.ts';

/** Prints what a configuration comes to, in its own language, and where each value is from. */
export async function configShow(invocation: Invocation): Promise<number> {
  const { environment, given } = invocation;
  if (configPath(given, environment) === null) return refuse([noConfig(environment)]);
  const { problems, wishes } = toWishes(invocation);
  const { problems: more } = await readWishes(wishes, environment);
  if (problems.length + more.length > 0) return refuse([...problems, ...more]);
  const parts = [
    toLines(wishes.watchdog, 'watchdog'),
    ...wishes.targets.map(({ given: of, name }) => [`[target.${toKey(name)}]`, ...toLines(of, 'target')]),
  ];
  print(`${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`);
  return exitCode('ok');
}

/** All that has a value, the given ones and the defaults. */
function toLines(given: Given, scope: OptionScope): readonly string[] {
  const lines = OPTION_SPECS.filter((spec) => spec.scope === scope).flatMap((spec) => {
    const value = given[spec.name as keyof Given];
    if (value !== undefined) return [[`${spec.name} = ${toToml(spec, value.value)}`, value.from] as const];
    return spec.default === undefined ? [] : [[`${spec.name} = ${toToml(spec, spec.default)}`, 'default'] as const];
  });
  const width = Math.min(60, Math.max(0, ...lines.map(([text]) => text.length)));
  return lines.map(([text, from]) => `${text.padEnd(width)}  # ${from}`);
}

function toKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function toToml(spec: OptionSpec, value: RawValue): string {
  if (typeof value === 'boolean') return String(value);
  if (isRepeatable(spec)) {
    const pairs = (Array.isArray(value) ? value : [value]).map((pair: string) => {
      const at = pair.indexOf('=');
      return `${pair.slice(0, at)} = ${quote(pair.slice(at + 1))}`;
    });
    return `{ ${pairs.join(', ')} }`;
  }
  if (typeof value !== 'string') return `[${value.map(quote).join(', ')}]`;
  return spec.type === 'count' ? value : quote(value);
}

/** A basic string; TOML escapes like JSON, but for U+007F. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F');
}
