import { setTimeout as sleep } from 'node:timers/promises';

/** The only way that tests wait: until something is so, or a limit has passed. Answers what the condition gave: anything but nothing, `false`, 0 and the empty text. */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  limitMs = 15_000,
): Promise<NonNullable<T>> {
  const startedAtMs = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<T>;
    if (performance.now() - startedAtMs > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(20);
  }
}
