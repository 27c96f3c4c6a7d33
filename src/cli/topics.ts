/** The manual's pages, which travel inside of the executable. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Written into the bundle when it is built: the text of each page, by topic. */
declare const WATCHDOG_TOPICS: Readonly<Record<string, string>> | undefined;

/** Every topic, in the order of the manual. */
export const TOPICS = [
  'targets',
  'recovery',
  'programs',
  'config',
  'control',
  'running',
  'moving',
  'log',
  'events',
  'privileges',
  'options',
] as const;

/** The text of a topic; the manual's first page for none. */
export function readTopic(topic: (typeof TOPICS)[number] | 'manual'): string {
  if (typeof WATCHDOG_TOPICS !== 'undefined') return WATCHDOG_TOPICS[topic] ?? '';
  return readFileSync(join(import.meta.dirname, '..', '..', 'docs', `${topic}.md`), 'utf8');
}
