/** What is said where a watch may not be the only one of its target. */
import { escapeText } from '../core/escape.ts';

/** That another watches already, and what to do about it. */
export function refusal(holder: number, label: string): string {
  return `watchdog: another watchdog (pid ${holder}) already watches "${escapeText(label)}"; end it, or give this one another --name`;
}

/** That others can't be kept out; why. */
export function notHeld(why: string): string {
  return `${why}; another watchdog of this target would not be noticed`;
}
