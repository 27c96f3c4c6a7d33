/** A Procfile, as foreman, overmind and others have it: `name: command`, run by a shell. */
import { emptyTable, type Imported, literally, toName } from './imported.ts';

export function importProcfile(text: string, path: string): Imported {
  const top = emptyTable(null);
  const problems: { where: string; what: string }[] = [];
  const tables = text.split(/\r?\n/).flatMap((line, at) => {
    if (line.trim() === '' || line.trim().startsWith('#')) return [];
    const match = /^([A-Za-z0-9_-]+)\s*:\s*(.+)$/.exec(line);
    if (match === null) {
      problems.push({ where: `${path}:${at + 1}`, what: 'is no line such as web: node server.js' });
      return [];
    }
    const table = emptyTable(toName(match[1] ?? ''));
    table.pairs.push(['command', literally(match[2] ?? '')]);
    table.pairs.push([
      'autorestart',
      true,
      'who runs a Procfile ends all when one has ended; here it is started again',
    ]);
    if (/\$\{?PORT\b/.test(line))
      table.comments.push('PORT is set by whoever runs the Procfile: env = { PORT = "5000" }');
    return [table];
  });
  top.comments.push('a file .env beside it is not read: write its variables into env');
  return { tables: [top, ...tables], problems };
}
