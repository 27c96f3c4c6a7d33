/** What the values of a supervisord.conf mean. */
import { literally } from './imported.ts';

/** What its expressions may name. */
export type Variables = Readonly<Record<string, string | number>>;

const KIBI = 1_024;

/** `10MB` is 10 × 1024 × 1024 there. */
export function toBytes(text: string): number {
  const match = /^(\d+)\s*(KB|MB|GB)?$/i.exec(text.trim());
  const power = { KB: 1, MB: 2, GB: 3 }[(match?.[2] ?? '').toUpperCase()] ?? 0;
  return Number(match?.[1] ?? 0) * KIBI ** power;
}

export function isTrue(text: string): boolean {
  return /^(true|yes|on|1)$/i.test(text.trim());
}

/** `%(name)s`, `%(number)02d`, `%(ENV_NAME)s`, `%%`. What is unknown stays as it is. */
export function expand(text: string, variables: Variables): string {
  return literally(text).replaceAll(
    /%(?:%|\(([A-Za-z_][A-Za-z0-9_]*)\)(0?)(\d*)([sd]))/g,
    (whole, name, zero, width, _kind) => {
      if (whole === '%%') return '%';
      const variable = String(name);
      if (variable.startsWith('ENV_')) return `\${${variable.slice('ENV_'.length)}}`;
      const value = variables[variable];
      return value === undefined ? whole : String(value).padStart(Number(width || 0), zero === '0' ? '0' : ' ');
    },
  );
}

/** `KEY="value",OTHER=value`. */
export function readEnvironment(text: string): Readonly<Record<string, string>> {
  const entries: Record<string, string> = {};
  for (const match of text.matchAll(/([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\s]*))\s*(?:,|$)/g)) {
    entries[match[1] ?? ''] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return entries;
}

/** A comment for what has no equivalent, with why. */
export function notTaken(key: string, value: string, why: string): string {
  return `not taken over: ${key} = ${value.replaceAll('\n', ' ')} (${why})`;
}
