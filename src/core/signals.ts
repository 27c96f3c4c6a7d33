/** signal(7), the numbers of x86 and ARM. */
const SIGNALS = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP ' +
  'TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ');

/** `9` is `KILL`. Real-time signals have numbers only. */
export function signalName(number: number): string {
  return SIGNALS[number - 1] ?? `RT${number}`;
}

/** The real-time signals that the C library leaves to programs. */
const FIRST_REAL_TIME = 34;
const LAST_REAL_TIME = 64;

/** `KILL` is 9, `RT34` or `RTMIN` is 34, `RTMIN+3` is 37; 0 for what is none. */
export function signalNumber(name: string): number {
  const realTime = /^RT(?:(\d+)|MIN(?:\+(\d+))?)$/.exec(name);
  if (realTime === null) return SIGNALS.indexOf(name) + 1;
  const number = realTime[1] === undefined ? FIRST_REAL_TIME + Number(realTime[2] ?? 0) : Number(realTime[1]);
  return number >= FIRST_REAL_TIME && number <= LAST_REAL_TIME ? number : 0;
}
