/** The machine's clocks. */

/** Milliseconds of CLOCK_MONOTONIC: the same in every process of this boot, and nobody can set it. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** Local time as the shell loop's `date` prints it: `2026-11-21_12:00:00`. */
export function formatLocalTime(date: Date): string {
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join('-');
  return `${day}_${[date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':')}`;
}

/** ISO 8601 with milliseconds and the local offset: `2026-11-21T12:00:00.250+01:00`. */
export function formatIsoTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
  const sign = offset < 0 ? '-' : '+';
  return `${local}${sign}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
