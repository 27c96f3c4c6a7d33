/** What the looks come to for the rules: who of each target is there, those that are followed and the family of a program of ours among them. */

import type { ProcessRecord } from '../core/process.ts';
import type { Identity, Observation, Relative, Seen } from '../core/types.ts';
import { type Families, type Kin, readFamilies } from './family.ts';
import { byAge, type Look, lookForAll, type Onlooker, type Wanted } from './look.ts';
import type { ProcessTable } from './process-table.ts';

/** One of many to look for. Those in `followed` still count while they live, whatever they call themselves now. */
export interface Question {
  readonly wanted: Wanted;
  readonly followed: readonly Identity[];
  /** Of a program of ours; `null` for any other. */
  readonly program: ProgramQuestion | null;
}

/** What is to be known of a program of ours. */
export interface ProgramQuestion {
  /** What its processes are known by; `null` where there is no such thing, and its command is all that is known. */
  readonly mark: string | null;
  /** Who gets its orphans; `null`: not we. */
  readonly reaper: number | null;
  /** Its command, while it runs. */
  readonly command: Identity | null;
  /** The command is not the program, but starts it. */
  readonly isStarter: boolean;
  /** All of it must be known, not only who matters. */
  readonly isWhole: boolean;
}

/** Looks for all of them at once, and answers as the rules want it, in their order. */
export async function observe(onlooker: Onlooker, questions: readonly Question[]): Promise<readonly Observation[]> {
  const others = questions.filter(({ wanted }) => !wanted.isByFamily);
  const looks = await lookForAll(
    onlooker,
    others.map(({ wanted }) => wanted),
    true,
  );
  const families = lookForFamilies(questions);
  return Promise.all(
    questions.map((question) => {
      const look = looks[others.indexOf(question)];
      return question.program === null
        ? toObservation(onlooker.table, question, look as Look)
        : toProgramObservation(onlooker.table, question, question.program, look, families);
    }),
  );
}

async function toObservation(table: ProcessTable, { followed, wanted }: Question, look: Look): Promise<Observation> {
  const still = await stillThere(table, followed, look.matches);
  const seen = [...look.matches, ...still.records].sort(byAge).map(toSeen);
  if (seen.length >= wanted.min) return { kind: 'present', seen };
  const trouble = look.trouble ?? still.trouble;
  if (trouble !== null) return { kind: 'unknown', why: trouble };
  return { kind: 'absent', seen, why: look.pidFileProblem, ...(look.isUnsteady === true ? { isUnsteady: true } : {}) };
}

/** Who lives of all the programs that are asked for: one reading serves all of them. */
function lookForFamilies(questions: readonly Question[]): Families {
  const programs = questions.flatMap(({ program }) => program ?? []);
  return readFamilies({
    marks: new Set(programs.flatMap(({ mark }) => mark ?? [])),
    reaper: programs[0]?.reaper ?? null,
    isWhole: programs.some(({ isWhole }) => isWhole),
  });
}

/** A program of ours, with all that lives of it. `look`: where it is known by more than its descent. */
async function toProgramObservation(
  table: ProcessTable,
  question: Question,
  { command, isStarter, mark }: ProgramQuestion,
  look: Look | undefined,
  { byMark, trouble }: Families,
): Promise<Observation> {
  const kin = mark === null ? [] : (byMark.get(mark) ?? []);
  const family = kin.map(({ isRoot: _, ...relative }): Relative => relative);
  if (look !== undefined) {
    const observation = await toObservation(table, question, look);
    if (observation.kind === 'unknown') return observation;
    return trouble === null ? { ...observation, family } : { kind: 'unknown', why: trouble };
  }
  const isMain = ({ isRoot, pid }: Kin): boolean => isRoot && !(isStarter && pid === command?.pid);
  const roots = kin.filter(isMain).map(({ commandLine, pid, startTime }): Seen => ({ pid, startTime, commandLine }));
  const others = command === null || isStarter ? question.followed : [command, ...question.followed];
  const still = await stillThere(table, others, roots);
  // Who is followed goes before whoever has been left behind by another before it.
  const isFollowed = (one: Identity): boolean => question.followed.some((other) => other.pid === one.pid);
  const all = [...roots, ...still.records.map(toSeen)].sort(byAge);
  const seen = [...all.filter(isFollowed), ...all.filter((one) => !isFollowed(one))];
  if (seen.length > 0) return { kind: 'present', seen, family };
  const why = trouble ?? still.trouble;
  return why === null ? { kind: 'absent', seen, why: null, family } : { kind: 'unknown', why };
}

/** Those followed that no longer match, but live on: they have changed their title. */
async function stillThere(
  table: ProcessTable,
  followed: readonly Identity[],
  matches: readonly Identity[],
): Promise<{ readonly records: readonly ProcessRecord[]; readonly trouble: string | null }> {
  const records: ProcessRecord[] = [];
  let trouble: string | null = null;
  for (const one of followed) {
    if ([...matches, ...records].some((record) => record.pid === one.pid)) continue;
    const reading = await table.read(one.pid);
    if (reading.kind === 'trouble') trouble ??= reading.why;
    if (reading.kind !== 'process') continue;
    const { record } = reading;
    if (record.startTime === one.startTime && record.state !== 'zombie') records.push(record);
  }
  return { records, trouble };
}

function toSeen({ pid, startTime, commandLine }: ProcessRecord): Seen {
  return { pid, startTime, commandLine };
}
