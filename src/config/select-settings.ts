/** What to look for. Nothing of the machine is asked here; paths come out as they were given. */
import { compilePattern, type PatternSettings } from './pattern.ts';
import { complain, count, isOn, list, type Reader, text } from './reader.ts';

export interface SelectSettings {
  readonly pattern: PatternSettings | null;
  readonly pidFile: string | null;
  /** Whose processes: names or numbers, as given; `null` for anybody's. */
  readonly owners: readonly string[] | null;
  readonly exe: string | null;
  readonly min: number;
  readonly max: number | null;
}

const MAX_COPIES = 10_000;
const COPIES = { least: 1, most: MAX_COPIES, what: 'number of processes' };

/** Reads it; what is wrong is noted by the reader. */
export async function readSelect(reader: Reader): Promise<SelectSettings> {
  const pidFile = text(reader, 'pid-file');
  const pattern = await readPattern(reader, pidFile);
  const owners = readOwners(reader);
  const exe = readExe(reader);
  const min = readMin(reader, pidFile);
  return {
    pattern,
    pidFile,
    owners,
    exe,
    min,
    max: readMax(reader, min),
  };
}

async function readPattern(reader: Reader, pidFile: string | null): Promise<PatternSettings | null> {
  const pattern = reader.given.pattern?.value;
  if (typeof pattern !== 'string') {
    for (const name of ['exact', 'ignore-case', 'fixed'] as const) {
      if (isOn(reader, name))
        complain(reader, name, `says how to read a pattern; give a ${reader.spell('pattern')} too`);
    }
    if (pidFile === null && reader.given.command === undefined) {
      const ways = `${reader.spell('pattern')} or ${reader.spell('pid-file')}`;
      complain(reader, 'pattern', `is missing; say what to watch by ${ways}`);
    }
    return null;
  }
  const settings: PatternSettings = {
    text: pattern,
    isFixed: isOn(reader, 'fixed'),
    isExact: isOn(reader, 'exact'),
    ignoresCase: isOn(reader, 'ignore-case'),
  };
  const compiled = await compilePattern(settings);
  if ('problem' in compiled) {
    const help = compiled.mayBeLiteral === true ? `; or use ${reader.spell('fixed')} for literal text` : '';
    complain(reader, 'pattern', `${compiled.problem}${help}`);
  }
  return settings;
}

function readOwners(reader: Reader): readonly string[] | null {
  const owners = list(reader, 'owner');
  if (owners?.includes('') === true) {
    const given = text(reader, 'owner') ?? owners.join(',');
    complain(reader, 'owner', `"${given}" has an empty name; write names or numbers with commas between`);
  }
  return owners;
}

function readExe(reader: Reader): string | null {
  const exe = text(reader, 'exe');
  if (exe !== null && !exe.startsWith('/')) {
    complain(reader, 'exe', `"${exe}" is no absolute path; write it from the root, such as /usr/bin/node`);
  }
  return exe;
}

function readMin(reader: Reader, pidFile: string | null): number {
  const min = count(reader, 'min', COPIES) ?? 1;
  if (min > 1 && reader.given.command !== undefined) {
    complain(
      reader,
      'min',
      `${min} contradicts ${reader.spell('command')}, which starts one program; ${reader.spell('numprocs')} starts several`,
    );
  }
  if (pidFile !== null && min > 1) {
    complain(
      reader,
      'min',
      `${min} contradicts ${reader.spell('pid-file')}, which names one process; leave one of them out`,
    );
  }
  return min;
}

function readMax(reader: Reader, min: number): number | null {
  const max = count(reader, 'max', COPIES);
  if (max !== null && max < min) complain(reader, 'max', `${max} is less than min, which is ${min}`);
  return max;
}
