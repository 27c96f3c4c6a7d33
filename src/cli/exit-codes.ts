/** What each exit code means; there are no others. The manual's table is checked against this one. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'asked to stop, and stopped; `check`, `match`, `status`, `--once`: it is up; done as asked' },
  down: { code: 1, meaning: '`check`, `match`, `status`, `--once`: it is down; not done as asked' },
  usage: { code: 2, meaning: 'an option, a variable or a file that it names is wrong; nothing was started' },
  unknown: { code: 3, meaning: '`check`, `match`, `status`, `--once`: could not tell' },
  alreadyRunning: {
    code: 4,
    meaning: 'another watchdog of this user already watches this; or none does, and one was to be asked',
  },
  defect: { code: 70, meaning: 'a defect of the watchdog itself; please report it' },
  notPermitted: { code: 77, meaning: 'something is needed that this user may not have' },
} as const;

export type ExitName = keyof typeof EXIT_CODES;

/** The number of an outcome. */
export function exitCode(name: ExitName): number {
  return EXIT_CODES[name].code;
}
