/**
 * Programs that carry another program's command line in their own: `sh -c "…"`,
 * `sudo …`, `timeout 60 …`. They match a pattern without being what it means.
 */
import { argumentsOf, type ProcessRecord, programName } from './process.ts';

const SHELLS: ReadonlySet<string> = new Set('sh ash bash busybox csh dash fish ksh mksh tcsh yash zsh'.split(' '));

/** Programs that run the command in their arguments and stay until it ends. */
const CARRIERS: ReadonlySet<string> = new Set(
  (
    'anacron bwrap catatonit chroot chrt cron crond dbus-run-session doas docker-init dumb-init env faketime firejail ' +
    'flock init ionice login nice nohup npm npx nsenter parallel proot runsv runuser s6-setuidgid s6-supervise screen ' +
    'script setpriv setsid setuidgid ssh sshd start-stop-daemon stdbuf strace su sudo systemd systemd-run time timeout ' +
    'tini tmux unbuffer unshare watch xargs'
  ).split(' '),
);

/** Whether this is a shell that was given its commands on the command line. */
export function isShellCommand(record: ProcessRecord): boolean {
  const [program = '', ...rest] = argumentsOf(record);
  if (!SHELLS.has(programName(program))) return false;
  const options = programName(program) === 'busybox' ? rest.slice(1) : rest;
  for (const option of options) {
    if (!/^[-+]/.test(option)) return false;
    if (/^-[A-Za-z]*c[A-Za-z]*$/.test(option)) return true;
  }
  return false;
}

/** Whether this is a program whose arguments are another program's command line. */
export function isWrapper(record: ProcessRecord): boolean {
  const [program = ''] = argumentsOf(record);
  return isShellCommand(record) || CARRIERS.has(programName(program).replace(/:$/, ''));
}

/**
 * Whether `carrier` holds `text` whatever its quoting, and how it reads without it.
 * A shell's command line has quotes, backslashes and blanks that the command itself
 * no longer has, so that all of these are passed over in the comparison.
 */
export function withoutCarried(carrier: string, text: string): string | null {
  const bare = bareText(text).text;
  if (bare === '') return null;
  const { text: hay, places } = bareText(carrier);
  const at = hay.indexOf(bare);
  if (at < 0) return null;
  const start = places[at] as number;
  const end = (places[at + bare.length - 1] as number) + 1;
  return `${carrier.slice(0, start)} ${carrier.slice(end)}`;
}

function bareText(text: string): { readonly text: string; readonly places: readonly number[] } {
  let bare = '';
  const places: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (/[\s"'\\]/.test(character)) continue;
    bare += character;
    places.push(at);
  }
  return { text: bare, places };
}
