/** The standard streams of a watchdog in the background. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Tells whoever has started us in the background that the watch has begun, by a NUL; then nobody is there to read. */
export function giveUpStreams(): void {
  try {
    for (const descriptor of [0, 1]) giveUp(descriptor);
    writeSync(2, '\0');
    giveUp(2);
  } catch (error) {
    errorCode(error);
  }
}

/** The lowest free number is taken by what is opened: the one that was just closed. */
function giveUp(descriptor: number): void {
  closeSync(descriptor);
  openSync('/dev/null', constants.O_RDWR);
}
