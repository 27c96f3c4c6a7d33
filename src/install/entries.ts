/** What starts a watch by itself, as text: for cron, systemd, OpenRC, Docker and Kubernetes. Pure. */
import { quoteWord } from '../core/shell-words.ts';
/** A watch as it is to be started. */
export interface Installation {
  /** What it is called, fit for a file's name. */
  readonly name: string;
  /** The executable, from the root. */
  readonly program: string;
  /** Its options; with `--` and what is behind it, where it is a program. */
  readonly args: readonly string[];
  readonly directory: string;
  readonly path: string;
  /** Whether the sentinel will wait, which says when it is ready. */
  readonly isNotifying: boolean;
  readonly version: string;
}

export type PlaceName = 'cron' | 'systemd' | 'openrc' | 'docker' | 'kubernetes';

/** Begins whatever is written by us, so that exactly that is taken out again. */
export function markOfEntry(name: string): string {
  return `# watchdog ${name}: written by watchdog install, taken out by watchdog uninstall`;
}

export const ENTRIES: Readonly<Record<PlaceName, (installation: Installation) => string>> = {
  cron,
  systemd,
  openrc,
  docker,
  kubernetes,
};

/** crontab(5): the command goes up to the end of the line, and a `%` in it needs a backslash. */
function cron({ args, directory, name, path, program }: Installation): string {
  const command = `cd ${quoteWord(directory)} && PATH=${quoteWord(path)} exec ${[program, ...args].map(quoteWord).join(' ')}`;
  return `${markOfEntry(name)}\n@reboot ${command.replaceAll('%', '\\%')}\n`;
}

/** systemd.service(5). `KillMode=process`: what was recovered is not the unit's to end; programs of its own the watchdog ends itself. */
function systemd({ args, directory, isNotifying, name, path, program }: Installation): string {
  return `${markOfEntry(name)}
[Unit]
Description=watchdog ${name}
After=network.target

[Service]
Type=${isNotifying ? 'notify' : 'simple'}
ExecStart=${[program, ...args].map(forSystemd).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory=${directory.replaceAll('%', '%%')}
Environment=${forSystemd(`PATH=${path}`)}
KillMode=process
TimeoutStopSec=120
Restart=always

[Install]
WantedBy=multi-user.target
`;
}

function forSystemd(word: string): string {
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replaceAll('\n', '\\n');
  return /^[A-Za-z0-9_@+=:,./-]+$/.test(word) ? word : `"${escaped}"`;
}

/** openrc-run(8). */
function openrc({ args, directory, name, path, program }: Installation): string {
  return `#!/sbin/openrc-run
${markOfEntry(name)}
description="watchdog ${name}"
command=${quoteWord(program)}
command_args=${quoteWord(args.map(quoteWord).join(' '))}
command_background=true
pidfile="/run/\${RC_SVCNAME}.pid"
directory=${quoteWord(directory)}
export PATH=${quoteWord(path)}
extra_started_commands="reload"

depend() {
	after localmount net
}

reload() {
	start-stop-daemon --signal HUP --pidfile "$pidfile"
}
`;
}

/** The exec form: no shell stands between. */
function docker({ args, program, version }: Installation): string {
  const at = args.indexOf('--');
  const own = at < 0 ? args : args.slice(0, at + 1);
  const behind = at < 0 ? [] : args.slice(at + 1);
  const lines = [
    `# The executable of watchdog ${version} needs glibc, /proc and /bin/sh.`,
    'COPY watchdog /usr/local/bin/watchdog',
    `ENTRYPOINT ${JSON.stringify(['/usr/local/bin/watchdog', ...own])}`,
    ...(behind.length > 0 ? [`CMD ${JSON.stringify(behind)}`] : []),
    'HEALTHCHECK CMD ["/usr/local/bin/watchdog", "status"]',
  ];
  if (at < 0)
    lines.unshift(
      '# Beside another container: docker run --pid=container:NAME …, else it sees its own processes only.',
    );
  if (program !== '/usr/local/bin/watchdog') lines.unshift(`# Copy ${program} beside the Dockerfile first.`);
  return `${lines.join('\n')}\n`;
}

/** A pod with a container of the user's own and the watchdog beside it (core/v1). `shareProcessNamespace`: else it sees nobody but itself. */
export function podOf({ args, name }: Installation) {
  return {
    apiVersion: 'v1' as const,
    kind: 'Pod' as const,
    metadata: { name: name.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-') },
    spec: {
      shareProcessNamespace: true,
      containers: [
        { name: 'app', image: 'YOUR-IMAGE' },
        {
          name: 'watchdog',
          image: 'YOUR-IMAGE-WITH-WATCHDOG',
          command: ['/usr/local/bin/watchdog'],
          args: [...args],
          // To end processes of other users, and to see what they run.
          securityContext: { capabilities: { add: ['KILL', 'SYS_PTRACE'] } },
          livenessProbe: { exec: { command: ['/usr/local/bin/watchdog', 'events'] }, periodSeconds: 60 },
        },
      ],
    },
  };
}

function kubernetes(installation: Installation): string {
  const head = `# Put your own images and name where it says so; that of the second has watchdog ${installation.version} in it.\n`;
  return `${head}${toYaml(podOf(installation), '')}`;
}

/** Plain data as YAML: every text in quotes, as JSON has them, which YAML takes as they are. */
function toYaml(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    return value
      .map((one) =>
        isPlain(one) ? `${indent}- ${JSON.stringify(one)}\n` : `${indent}- ${toYaml(one, `${indent}  `).trimStart()}`,
      )
      .join('');
  }
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  return entries
    .map(([key, one]) =>
      isPlain(one) ? `${indent}${key}: ${JSON.stringify(one)}\n` : `${indent}${key}:\n${toYaml(one, `${indent}  `)}`,
    )
    .join('');
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** A crontab with this entry once; without it, where `entry` is `null`. */
export function withCronEntry(crontab: string, name: string, entry: string | null): string {
  const lines = crontab === '' ? [] : crontab.replace(/\n$/, '').split('\n');
  const at = lines.indexOf(markOfEntry(name));
  const kept = at < 0 ? lines : [...lines.slice(0, at), ...lines.slice(at + 2)];
  const all =
    entry === null
      ? kept
      : [...kept.slice(0, at < 0 ? kept.length : at), entry.trimEnd(), ...kept.slice(at < 0 ? kept.length : at)];
  return all.length === 0 ? '' : `${all.join('\n')}\n`;
}
