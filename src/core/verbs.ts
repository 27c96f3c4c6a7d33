/** What can be asked of a watchdog that is at work, in the order in which it is listed. None takes a command. */
export const VERBS = [
  'status',
  'start',
  'stop',
  'restart',
  'reload',
  'recover',
  'pause',
  'resume',
  'signal',
  'look',
  'why',
  'events',
  'shutdown',
] as const;

export type Verb = (typeof VERBS)[number];

/** What only tells; all the others do something. */
export const QUESTIONS: readonly Verb[] = ['status', 'why', 'events'];

export const ORDERS: readonly Verb[] = VERBS.filter((verb) => !QUESTIONS.includes(verb));
