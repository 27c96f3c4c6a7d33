/** What one unit is in milliseconds. */
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest span that is taken; a timer of Node ends at 2^31 ms, which is 24.8 days. */
export const MAX_DURATION_MS = 24 * 86_400_000;

/** How spans are written, for messages. */
export const DURATION_FORM = 'a number with ms, s, m, h or d, such as 500ms, 5s, 2m or 1h';

/** A span as the user wrote it, in milliseconds; or what is wrong with it. `0` needs no unit. */
export function parseDuration(text: string): { readonly ms: number } | { readonly problem: string } {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*$/.exec(text);
  if (match === null) return { problem: `"${text}" is no duration; write ${DURATION_FORM}` };
  const [, digits = '', unit] = match;
  if (unit === undefined && Number(digits) !== 0) {
    return { problem: `"${text}" has no unit; write ${digits}s for seconds or ${digits}ms for milliseconds` };
  }
  const ms = Math.round(Number(digits) * (UNIT_MS[unit ?? 's'] as number));
  return ms > MAX_DURATION_MS ? { problem: `"${text}" is too long; at most 24d is allowed` } : { ms };
}
