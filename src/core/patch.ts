/** What makes one piece of plain data of another: of a thousand that are alike, only the differences need be kept. */

type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** What differs; `undefined` if nothing does. Objects with the same keys are gone into, all else is taken whole. */
export function diff(base: unknown, value: unknown): unknown {
  if (base === value) return undefined;
  if (!isRecord(base) || !isRecord(value) || !hasSameKeys(base, value)) {
    return JSON.stringify(base) === JSON.stringify(value) ? undefined : { whole: value };
  }
  const parts = Object.keys(value).flatMap((key) => {
    const part = diff(base[key], value[key]);
    return part === undefined ? [] : [[key, part] as const];
  });
  return parts.length === 0 ? undefined : { parts: Object.fromEntries(parts) };
}

/** The value that the difference was made of. */
export function patch(base: unknown, difference: unknown): unknown {
  if (difference === undefined || !isRecord(difference)) return base;
  if ('whole' in difference) return difference.whole;
  const parts = difference.parts as Readonly<Record<string, unknown>>;
  const record = base as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.keys(record).map((key) => [key, patch(record[key], parts[key])]));
}

function isRecord(value: unknown): value is Readonly<Record<string, Plain>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasSameKeys(one: object, other: object): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key));
}
