import { existsSync, globSync, readFileSync, readlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { compilePattern } from '../../config/pattern.ts';
import type { ProcessRecord } from '../../core/process.ts';
import { programName } from '../../core/process.ts';
import { quoteWord } from '../../core/shell-words.ts';
import { formatImported, type ImportedTable, literally, toName, toPattern } from '../../import/imported.ts';
import { toOnlooker } from '../../plan/plan.ts';
import { errorCode } from '../../system/errors.ts';
import { lookAround } from '../../system/look.ts';
import { ownExecutable } from '../../system/own-process.ts';
import { openProcessTable } from '../../system/process-table.ts';
import { userName } from '../../system/users.ts';
import { exitCode } from '../exit-codes.ts';
import { print, printError } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';

/** Where programs keep their numbers. */
const PID_FILES = ['/run/*.pid', '/run/*/*.pid', '/var/run/*.pid'];

/** Prints the narrowest target for a running process, tried by a look. */
export async function learn({ arguments: args, problems, words: [word = ''] }: Invocation): Promise<number> {
  if (problems.length > 0) return refuse(problems);
  if (!/^\d{1,8}$/.test(word))
    return refuse([{ where: 'learn', what: `"${word}" is no process number; pgrep -a NAME shows them` }]);
  const table = openProcessTable(null);
  const reading = await table.read(Number(word));
  if (reading.kind === 'trouble') {
    printError(`watchdog: could not look: ${reading.why}\n`);
    return exitCode('unknown');
  }
  if (reading.kind === 'thread')
    return refuse([{ where: 'learn', what: `${word} is a thread of process ${reading.processPid}; learn that` }]);
  if (reading.kind === 'none' || reading.record.state === 'zombie' || reading.record.isKernelThread) {
    return refuse([{ where: 'learn', what: `${word} is no running program` }]);
  }
  print(formatImported([await describe(reading.record, args)], `process ${word}`, 'watchdog learn'));
  return exitCode('ok');
}

async function describe(record: ProcessRecord, args: readonly string[]): Promise<ImportedTable> {
  const words = record.args ?? record.commandLine.split(' ');
  const target: ImportedTable = { name: nameOf(words), pairs: [], comments: [] };
  const pidFile = findPidFile(record.pid);
  const whole = `^${toPattern(record.commandLine)}$`;
  const others = await countMatches(whole, record, args);
  if (pidFile !== null) target.pairs.push(['pid-file', pidFile]);
  target.pairs.push(['pattern', whole], ['owner', userName(record.uid)]);
  if (record.exe !== null) target.pairs.push(['exe', record.exe]);
  if (others === null) target.comments.push('it is not found by its own command line: is it a shell, or a watchdog?');
  else if (others > 0 && pidFile === null) target.pairs.push(['min', others + 1, 'so many look like that']);
  const cwd = linkOf(`/proc/${record.pid}/cwd`);
  target.pairs.push([
    'recover',
    literally(words.map(quoteWord).join(' ')),
    'as it runs now: write what really starts it',
  ]);
  if (cwd !== null) target.pairs.push(['cwd', literally(cwd)]);
  const wider = await widest(record, words, others ?? 0, args);
  if (wider !== null) target.comments.push(`wider, and meaning the same processes now: pattern = '${wider}'`);
  return target;
}

/** The shortest of some patterns that means nobody else than the whole command line does; `null` if none is shorter. */
async function widest(
  record: ProcessRecord,
  words: readonly string[],
  others: number,
  args: readonly string[],
): Promise<string | null> {
  const cwd = linkOf(`/proc/${record.pid}/cwd`) ?? '/';
  const script = words.slice(1).find((word) => !word.startsWith('-') && existsSync(resolve(cwd, word)));
  const program = `^${toPattern(words[0] ?? '')}`;
  const candidates = [
    `${program}( |$)`,
    ...(script === undefined ? [] : [`${program}( .*)? ${toPattern(script)}( |$)`]),
  ];
  for (const text of words.length > 1 ? candidates : []) {
    if ((await countMatches(text, record, args)) === others) return text;
  }
  return null;
}

/** How many besides it; `null` if not even itself, or nobody can tell. */
async function countMatches(text: string, record: ProcessRecord, args: readonly string[]): Promise<number | null> {
  const compiled = await compilePattern({ text, isFixed: false, isExact: false, ignoresCase: false });
  if ('problem' in compiled) return null;
  const onlooker = toOnlooker({ processTable: null, arguments: args.join(' '), exe: ownExecutable() }, []);
  const look = await lookAround(onlooker, {
    selector: { matches: compiled.matcher, uids: [record.uid], exe: record.exe },
    pidFile: null,
    min: 1,
    isByFamily: false,
  });
  return look.matches.some(({ pid }) => pid === record.pid) ? look.matches.length - 1 : null;
}

/** After the script, or the program where there is none. */
function nameOf(words: readonly string[]): string {
  const [program = '', second] = words;
  const isInterpreter = /^(node|python[\d.]*|ruby|perl|php|bash|sh|java)$/.test(programName(program));
  const word = isInterpreter && second !== undefined ? second : program;
  return toName(programName(word).replace(/\.[a-z]{1,4}$/, ''));
}

function findPidFile(pid: number): string | null {
  return globSync(PID_FILES).find((path) => readText(path)?.trim() === String(pid)) ?? null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').slice(0, 64);
  } catch (error) {
    errorCode(error);
    return null;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    errorCode(error);
    return null;
  }
}
