/** A pm2 ecosystem file in JSON. Keys as in pm2's "Ecosystem File"; what it does by default is written out. */
import { splitWords } from '../core/shell-words.ts';
import { emptyTable, type Imported, type ImportedTable, literally, toName } from './imported.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type App = Readonly<Record<string, Json>>;

const INTERPRETERS: Readonly<Record<string, string>> = {
  js: 'node',
  cjs: 'node',
  mjs: 'node',
  py: 'python3',
  rb: 'ruby',
  php: 'php',
  pl: 'perl',
  sh: 'bash',
};
const WHY: Readonly<Record<string, string>> = {
  watch: 'changed files restart nothing here',
  ignore_watch: 'changed files restart nothing here',
  max_memory_restart: 'memory is shown by watchdog status, and restarts nothing',
  cron_restart: 'a line of a crontab does it: watchdog restart NAME',
  max_restarts: 'it is never given up here: tried ever more rarely (backoff), or see exit-on-failure',
  restart_delay: 'the pause after a failure grows: backoff',
  exp_backoff_restart_delay: 'the pause after a failure grows: backoff',
  log_date_format: 'lines are kept as they are written',
  time: 'lines are kept as they are written',
  merge_logs: 'each copy has a file of its own',
  combine_logs: 'each copy has a file of its own',
  wait_ready: 'it counts as started when it has lasted',
  listen_timeout: 'it counts as started when it has lasted',
  shutdown_with_message: 'it is told by a signal',
  source_map_support: 'node --enable-source-maps does it',
  vizion: 'there is nothing like it',
  pmx: 'there is nothing like it',
  treekill: 'kill-mode says who is ended',
  exec_mode: 'there is no cluster mode: copies that listen at one port need SO_REUSEPORT, or a proxy before them',
};

export function importPm2(text: string, path: string, directory: string): Imported {
  const problem = (what: string): Imported => ({ tables: [], problems: [{ where: path, what }] });
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    return problem(`is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const apps = Array.isArray(json) ? json : isRecord(json) && Array.isArray(json.apps) ? json.apps : [json];
  const top = emptyTable(null);
  if (isRecord(json) && json.deploy !== undefined)
    top.comments.push('not taken over: deploy (the watchdog deploys nothing)');
  const problems: { where: string; what: string }[] = [];
  const tables = apps.flatMap((app, at): readonly ImportedTable[] => {
    if (isRecord(app) && typeof app.script === 'string') return [importApp(app, app.script, directory)];
    problems.push({ where: `${path}: apps[${at}]`, what: 'has no script' });
    return [];
  });
  return { tables: [top, ...tables], problems };
}

function isRecord(value: Json | undefined): value is App {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function importApp(app: App, script: string, directory: string): ImportedTable {
  const name = typeof app.name === 'string' ? app.name : (script.split('/').at(-1) ?? script).replace(/\.[^.]+$/, '');
  const table = emptyTable(toName(name));
  table.pairs.push(['command', toCommand(app, script)]);
  const codes = toWords(app.stop_exit_codes).map(String);
  const restarts = app.autorestart !== false;
  // pm2 starts again whatever has ended.
  table.pairs.push(['autorestart', restarts ? (codes.length > 0 ? 'unexpected' : true) : false]);
  if (restarts && codes.length > 0) table.pairs.push(['expected-exit-codes', codes]);
  const cwd = typeof app.cwd === 'string' ? app.cwd : directory;
  table.pairs.push(['cwd', literally(cwd)]);
  takeTimes(table, app);
  if (isRecord(app.env)) table.pairs.push(['env', toTexts(app.env)]);
  takeInstances(table, app);
  takeOutput(table, app);
  if (typeof app.uid === 'string' || typeof app.uid === 'number') table.pairs.push(['user', String(app.uid)]);
  if (typeof app.gid === 'string' || typeof app.gid === 'number') table.pairs.push(['group', String(app.gid)]);
  if (typeof app.namespace === 'string') table.pairs.push(['groups', [toName(app.namespace)]]);
  const leftOut = Object.entries(app).filter(([key]) => !TAKEN.includes(key));
  for (const [key, value] of leftOut) {
    if (key === 'exec_mode' && !/cluster/.test(String(value))) continue;
    const why = key.startsWith('env_')
      ? 'only env is taken; write these into env, or into a file of their own'
      : (WHY[key] ?? 'there is nothing like it');
    table.comments.push(`not taken over: ${key} = ${JSON.stringify(value)} (${why})`);
  }
  return table;
}

const TAKEN: readonly string[] = [
  ...[
    'name',
    'script',
    'args',
    'interpreter',
    'exec_interpreter',
    'interpreter_args',
    'node_args',
    'cwd',
    'env',
    'autorestart',
  ],
  ...[
    'stop_exit_codes',
    'instances',
    'kill_timeout',
    'min_uptime',
    'out_file',
    'output',
    'log_file',
    'error_file',
    'error',
  ],
  ...['uid', 'gid', 'namespace'],
];

function toCommand(app: App, script: string): readonly string[] {
  const given = app.interpreter ?? app.exec_interpreter;
  const extension = /\.([a-z]+)$/.exec(script)?.[1] ?? '';
  const interpreter = typeof given === 'string' ? given : INTERPRETERS[extension];
  const words = [
    ...(interpreter === undefined || interpreter === 'none'
      ? []
      : [interpreter, ...toWords(app.interpreter_args ?? app.node_args)]),
  ];
  return [...words, script, ...toWords(app.args)].map(literally);
}

function toWords(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value === 'string') return splitWords(value) ?? [value];
  return typeof value === 'number' ? [String(value)] : [];
}

/** Milliseconds, or text such as `10s`. */
function toSpan(value: Json | undefined): string | null {
  if (typeof value === 'number') return `${value}ms`;
  if (typeof value === 'string' && /^\d+$/.test(value)) return `${value}ms`;
  return typeof value === 'string' && /^\d+(ms|s|m|h)$/.test(value) ? value : null;
}

function takeTimes(table: ImportedTable, app: App): void {
  table.pairs.push(['stop-signal', 'INT', "pm2's own"], ['stop-timeout', toSpan(app.kill_timeout) ?? '1600ms']);
  const uptime = toSpan(app.min_uptime);
  if (uptime !== null) table.pairs.push(['settle', uptime]);
}

function takeInstances(table: ImportedTable, { instances }: App): void {
  const count = Number(instances ?? 1);
  if (Number.isInteger(count) && count > 1) {
    table.pairs.push([
      'numprocs',
      count,
      'each finds its number, from 1, in WATCHDOG_NUMBER; NODE_APP_INSTANCE counts from 0',
    ]);
  } else if (instances !== undefined && count !== 1) {
    table.comments.push(`not taken over: instances = ${JSON.stringify(instances)} (write how many: numprocs = 4)`);
  }
}

function takeOutput(table: ImportedTable, app: App): void {
  const path = app.out_file ?? app.output ?? app.log_file;
  const errors = app.error_file ?? app.error;
  if (typeof path === 'string') table.pairs.push(['output', literally(path)]);
  if (errors === undefined || errors === path) return;
  if (typeof path === 'string' && typeof errors === 'string') table.pairs.push(['error-output', literally(errors)]);
  else {
    const why = 'write where standard output goes, too: output';
    table.comments.push(`not taken over: error_file = ${JSON.stringify(errors)} (${why})`);
  }
}

function toTexts(record: App): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      literally(typeof value === 'string' ? value : JSON.stringify(value)),
    ]),
  );
}
