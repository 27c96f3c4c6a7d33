/** Supervisor's dialect of INI: `key = value` or `key: value`, lines that go on when they are indented, comments behind `;` and `#`. */

export interface IniSection {
  readonly name: string;
  readonly place: string;
  readonly entries: readonly IniEntry[];
}

export interface IniEntry {
  readonly key: string;
  readonly value: string;
  readonly place: string;
}

/** The sections in their order; what is no line of such a file is told. */
export function parseIni(
  text: string,
  path: string,
): { readonly sections: readonly IniSection[]; readonly problems: readonly { where: string; what: string }[] } {
  const sections: { name: string; place: string; entries: { key: string; value: string; place: string }[] }[] = [];
  const problems: { where: string; what: string }[] = [];
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const place = `${path}:${at + 1}`;
    const line = raw.replace(/\s+;.*$/, '').trimEnd();
    if (line.trim() === '' || /^[;#]/.test(line.trim())) continue;
    const section = /^\[(.+)\]$/.exec(line.trim());
    const current = sections.at(-1);
    const last = current?.entries.at(-1);
    if (section !== null) sections.push({ name: section[1] ?? '', place, entries: [] });
    else if (/^\s/.test(line) && last !== undefined) last.value = `${last.value}\n${line.trim()}`;
    else {
      const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
      if (pair === null || current === undefined)
        problems.push({ where: place, what: 'is neither a [section] nor key = value' });
      else current.entries.push({ key: (pair[1] ?? '').trim(), value: pair[2] ?? '', place });
    }
  }
  return { sections, problems };
}
