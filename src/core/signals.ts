/** signal(7), the numbers of x86 and ARM. */
const SIGNALS = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP ' +
  'TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ');

/** `9` is `KILL`. Real-time signals have numbers only. */
export function signalName(number: number): string {
  return SIGNALS[number - 1] ?? `RT${number}`;
}

/** `KILL` is 9; 0 for what is none. */
export function signalNumber(name: string): number {
  return SIGNALS.indexOf(name) + 1;
}
