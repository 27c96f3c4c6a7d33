import type { StatusAnswer, TargetStatus } from '../../control/protocol.ts';
import { describeCode, errorCode } from '../../system/errors.ts';
import { followFile, readTail } from '../../system/follow-file.ts';
import { exitCode } from '../exit-codes.ts';
import { printBytes, printError } from '../output.ts';
import { refuse } from '../refuse.ts';
import { toRequest } from '../request.ts';
import type { Invocation } from '../run.ts';
import { order } from '../watchdogs.ts';

const DEFAULT_LINES = 20;
const MAX_LINES = 1_000_000;

/** Shows the last of what programs have written, and with `--follow` what they go on to write. */
export async function logs(invocation: Invocation): Promise<number> {
  const given = invocation.given.lines?.value;
  const lines = typeof given === 'string' ? Number(given) : DEFAULT_LINES;
  const isNumber = typeof given !== 'string' || /^\d+$/.test(given.trim());
  const problems = [...invocation.problems];
  if (!isNumber || lines > MAX_LINES) {
    problems.push({ where: '--lines', what: `"${given}" is no number of lines; allowed are 0 to ${MAX_LINES}` });
  }
  if (problems.length > 0) return refuse(problems);
  const asked = await order(invocation, toRequest('status', invocation));
  if ('code' in asked) return asked.code;
  const paths = asked.answers.flatMap(({ body }) => pathsOf(body as StatusAnswer));
  if (paths.includes(null)) return sayNoFile();
  const isFollowed = invocation.given.follow?.value === true;
  return show([...new Set(paths as readonly string[])], lines, isFollowed);
}

/** Nothing of what goes to standard output can be shown. Standard error may have a file apart. A program without a file of its own writes into the log, if that is a file. */
function pathsOf({ targets, watchdog }: StatusAnswer): readonly (string | null)[] {
  return targets.flatMap(({ errorOutput, output }: TargetStatus) => [
    output === '-' ? null : (output ?? watchdog.log),
    ...(errorOutput === null ? [] : [errorOutput]),
  ]);
}

async function show(paths: readonly string[], lines: number, isFollowed: boolean): Promise<number> {
  let code = exitCode('ok');
  const ends = new Map<string, number>();
  for (const path of paths) {
    const tail = readTail(path, lines);
    if ('code' in tail) {
      if (tail.code === 'ENOENT') continue;
      printError(`watchdog: ${path} cannot be read: ${describeCode(tail.code)}\n`);
      code = exitCode('unknown');
      continue;
    }
    if (paths.length > 1 && tail.bytes.length > 0) printBytes(Buffer.from(`==> ${path} <==\n`));
    printBytes(tail.bytes);
    ends.set(path, tail.size);
  }
  if (!isFollowed) return code;
  try {
    await Promise.all(paths.map((path) => followFile(path, ends.get(path) ?? 0, printBytes)));
  } catch (error) {
    printError(`watchdog: the output cannot be read any more: ${describeCode(errorCode(error))}\n`);
  }
  return exitCode('unknown');
}

function sayNoFile(): number {
  printError(
    'watchdog: its output goes where that of the watchdog goes, and is kept in no file; output = FILE keeps it\n',
  );
  return exitCode('down');
}
