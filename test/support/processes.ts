/** Real processes, seen without any code of the program that is under test. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly state: string;
  /** Arguments joined by blanks. */
  readonly line: string;
}

/** All processes whose command line holds a text. */
export function processesWith(text: string): readonly Process[] {
  return allProcesses().filter((one) => one.line.includes(text));
}

/** All processes that have to do with a text: it is in their command line, their environment or their directory's name. */
export function processesOf(text: string): readonly Process[] {
  return allProcesses().filter((one) => one.line.includes(text) || isOf(one.pid, text));
}

function isOf(pid: number, text: string): boolean {
  try {
    return (
      readlinkSync(`/proc/${pid}/cwd`).includes(text) || readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)
    );
  } catch {
    // It ended meanwhile, or is a thread of the kernel.
    return false;
  }
}

export function allProcesses(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    const one = /^\d+$/.test(name) ? readProcess(Number(name)) : null;
    return one === null ? [] : [one];
  });
}

/** `null` if there is no such process; a zombie is one, in state Z. */
export function readProcess(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trimEnd();
    return { pid, ppid: Number(fields[1]), state: fields[0] ?? '', line };
  } catch {
    // It ended meanwhile.
    return null;
  }
}

export function isAlive(pid: number): boolean {
  const one = readProcess(pid);
  return one !== null && one.state !== 'Z' && one.state !== 'X';
}

/** A signal to a process that may have ended already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  // 0 would be all of our own group, and whoever has started us.
  if (pid <= 1) throw new Error(`there is nobody to send ${name} to`);
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile: then there is nobody to signal.
  }
}
