import { globSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import type { Problem } from '../../config/given.ts';
import { formatImported, type Imported } from '../../import/imported.ts';
import { type IniSection, parseIni } from '../../import/ini.ts';
import { commandOf, importCrontab, importScript } from '../../import/loop.ts';
import { importPm2 } from '../../import/pm2.ts';
import { importProcfile } from '../../import/procfile.ts';
import { importSupervisord } from '../../import/supervisord.ts';
import { describeCode, errorCode } from '../../system/errors.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';

const MAX_BYTES = 1_024 * 1_024;

/** Prints what another tool's configuration comes to in ours. */
export async function importFile({ problems, words: [path = ''] }: Invocation): Promise<number> {
  if (problems.length > 0) return refuse(problems);
  const text = read(path);
  if (typeof text !== 'string') return refuse([text]);
  const imported = importText(text, resolve(path), path);
  if (imported.problems.length > 0) return refuse(imported.problems);
  print(formatImported(imported.tables, path));
  return exitCode('ok');
}

function read(path: string): string | Problem {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > MAX_BYTES || text.includes('\0'))
      return { where: path, what: 'is no configuration: too large, or no text' };
    return text;
  } catch (error) {
    return { where: path, what: `cannot be read: ${describeCode(errorCode(error))}` };
  }
}

/** By its name where that says it, else by what is in it. `shown`: the path as the user gave it. */
function importText(text: string, path: string, shown: string): Imported {
  if (/\.(c|m)?js$/.test(path)) {
    const command = `node -p 'JSON.stringify(require("${path}"))' > ecosystem.json`;
    return {
      tables: [],
      problems: [{ where: shown, what: `is a program, which is not run here; make JSON of it: ${command}` }],
    };
  }
  if (/\.json$/.test(path) || /^\s*[{[]\s*(["{\]}]|$)/.test(text)) return importPm2(text, shown, dirname(path));
  if (/^\s*\[[^\]]+\]\s*(;.*)?$/m.test(text)) return importIni(text, path, shown);
  if (/^Procfile/.test(basename(path))) return importProcfile(text, shown);
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  if (lines.some((line) => commandOf(line) !== null)) return importCrontab(text, shown);
  if (!text.startsWith('#!') && lines.length > 0 && lines.every((line) => /^[A-Za-z0-9_-]+:\s*\S/.test(line)))
    return importProcfile(text, shown);
  return importScript(text, shown);
}

function importIni(text: string, path: string, shown: string): Imported {
  const { problems, sections } = withIncludes(text, path, shown);
  if (!sections.some(({ name }) => /^(supervisord|program:|group:|include)/.test(name))) {
    return {
      tables: [],
      problems: [{ where: shown, what: 'is no supervisord.conf: it has neither [supervisord] nor [program:x]' }],
    };
  }
  const imported = importSupervisord({ sections, here: dirname(path), hostName: hostname() });
  return { tables: imported.tables, problems: [...problems, ...imported.problems] };
}

/** The sections of the file and of those that it includes, whose patterns count from its directory. */
function withIncludes(
  text: string,
  path: string,
  shown: string,
): { readonly sections: readonly IniSection[]; readonly problems: readonly Problem[] } {
  const own = parseIni(text, shown);
  const patterns = own.sections
    .filter(({ name }) => name === 'include')
    .flatMap(({ entries }) => entries.filter(({ key }) => key === 'files'))
    .flatMap(({ value }) =>
      value
        .replaceAll('%(here)s', dirname(path))
        .split(/\s+/)
        .filter((word) => word !== ''),
    );
  const sections = [...own.sections];
  const problems: Problem[] = [...own.problems];
  for (const file of patterns.flatMap((pattern) => globSync(resolve(dirname(path), pattern)).sort())) {
    const included = read(file);
    if (typeof included !== 'string') problems.push(included);
    else {
      const parsed = parseIni(included, file);
      sections.push(...parsed.sections);
      problems.push(...parsed.problems);
    }
  }
  return { sections, problems };
}
