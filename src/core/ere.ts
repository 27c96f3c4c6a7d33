/**
 * POSIX extended regular expressions, as `pgrep -f` takes them, put into the words
 * of RE2, whose matching time is linear in the text. Any local user chooses command
 * lines, so that a backtracking matcher would let anyone stop the watch.
 *
 * The language is that of regcomp(3) with REG_EXTENDED (regex(7)), with the GNU
 * operators \< \> \b \B \w \W \s \S \` \'. Classes are those of the C locale.
 * Two things are refused that regcomp takes: back-references, which no linear
 * matcher can offer, and an escaped letter without a meaning (`\d`), which regcomp
 * silently reads as the letter itself.
 */

/** The RE2 text, or what is wrong with the pattern in a few words. */
export type Translation =
  | { readonly kind: 'ok'; readonly re2: string }
  | { readonly kind: 'invalid'; readonly why: string };

/** Most repetitions that an interval may ask for: RE2's own limit. */
const MAX_REPEAT = 1000;

/** The GNU operators. The beginning and the end of a word are told apart by what is before them. */
const GNU_OPERATORS: ReadonlyMap<string, string> = new Map([
  ['<', '\\b(?<![0-9A-Za-z_])'],
  ['>', '\\b(?<=[0-9A-Za-z_])'],
  ['b', '\\b'],
  ['B', '\\B'],
  ['w', '[0-9A-Za-z_]'],
  ['W', '[^0-9A-Za-z_]'],
  ['s', '[\\t-\\r ]'],
  ['S', '[^\\t-\\r ]'],
  ['`', '\\A'],
  ["'", '\\z'],
]);

const CLASSES: ReadonlySet<string> = new Set(
  'alnum alpha blank cntrl digit graph lower print punct space upper xdigit'.split(' '),
);

/** What people write who think of another dialect, and what it is called here. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['d', '[0-9]'],
  ['D', '[^0-9]'],
  ['n', 'a space, which is how the parts of a command line are joined'],
  ['t', '[[:blank:]]'],
]);

/** Thrown inside this file only, so that the parser need not hand a failure up through every level. */
class PatternError extends Error {}

/** A piece of RE2 text. Only an atom may be repeated: an anchor may not, and a repeated piece must be wrapped first. */
interface Piece {
  readonly re2: string;
  readonly kind: 'atom' | 'repeated' | 'anchor';
}

/** Where the parser stands in the pattern. */
interface Cursor {
  readonly characters: readonly string[];
  at: number;
  depth: number;
}

/** Puts a POSIX extended regular expression into RE2's syntax. */
export function translateEre(pattern: string): Translation {
  try {
    const cursor: Cursor = { characters: [...pattern], at: 0, depth: 0 };
    return { kind: 'ok', re2: translateAlternatives(cursor) };
  } catch (error) {
    if (error instanceof PatternError) return { kind: 'invalid', why: error.message };
    throw error;
  }
}

/** The RE2 text that matches exactly this text. */
export function quoteRe2(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

function translateAlternatives(cursor: Cursor): string {
  const branches = [translateBranch(cursor)];
  while (peek(cursor) === '|') {
    cursor.at += 1;
    branches.push(translateBranch(cursor));
  }
  return branches.join('|');
}

function translateBranch(cursor: Cursor): string {
  const pieces: Piece[] = [];
  for (let next = peek(cursor); next !== undefined && next !== '|'; next = peek(cursor)) {
    if (next === ')' && cursor.depth > 0) break;
    const before = pieces.at(-1);
    const repeat = translateRepeat(cursor, before);
    if (repeat === null || before === undefined) pieces.push(translatePiece(cursor));
    else pieces[pieces.length - 1] = { re2: repeatable(before) + repeat, kind: 'repeated' };
  }
  return pieces.map((piece) => piece.re2).join('');
}

/** `a**` and `a+?` repeat a repetition here; RE2 reads them as something else, or not at all. */
function repeatable(piece: Piece): string {
  return piece.kind === 'atom' ? piece.re2 : `(?:${piece.re2})`;
}

function translateRepeat(cursor: Cursor, before: Piece | undefined): string | null {
  const next = peek(cursor);
  if (next !== '*' && next !== '+' && next !== '?' && next !== '{') return null;
  if (before === undefined || before.kind === 'anchor') {
    throw new PatternError(`"${next}" has nothing before it to repeat (write "\\${next}" for the character)`);
  }
  cursor.at += 1;
  return next === '{' ? translateInterval(cursor) : next;
}

function translateInterval(cursor: Cursor): string {
  const close = cursor.characters.indexOf('}', cursor.at);
  if (close < 0) throw new PatternError('"{" without "}" (write "\\{" for the character)');
  const content = cursor.characters.slice(cursor.at, close).join('');
  const match = /^(\d*)(,?)(\d*)$/.exec(content);
  const least = Number(match?.[1] || 0);
  const most = match?.[3] ? Number(match[3]) : null;
  if (match === null || content === '' || (most !== null && most < least)) {
    throw new PatternError(`"{${content}}" is no repetition; allowed are {3}, {3,} and {3,5}`);
  }
  if (Math.max(least, most ?? 0) > MAX_REPEAT) {
    throw new PatternError(`"{${content}}" repeats too often; at most ${MAX_REPEAT} times are allowed`);
  }
  cursor.at = close + 1;
  return match[2] === '' ? `{${least}}` : `{${least},${most ?? ''}}`;
}

function translatePiece(cursor: Cursor): Piece {
  const next = take(cursor);
  switch (next) {
    case '^':
      return { re2: '\\A', kind: 'anchor' };
    case '$':
      return { re2: '\\z', kind: 'anchor' };
    case '.':
      return { re2: '.', kind: 'atom' };
    case '(':
      return { re2: translateGroup(cursor), kind: 'atom' };
    case '[':
      return { re2: translateBracket(cursor), kind: 'atom' };
    case '\\':
      return translateEscape(cursor);
    default:
      return { re2: quoteRe2(next), kind: 'atom' };
  }
}

function translateGroup(cursor: Cursor): string {
  cursor.depth += 1;
  const inner = translateAlternatives(cursor);
  if (peek(cursor) !== ')') throw new PatternError('"(" without ")" (write "\\(" for the character)');
  cursor.at += 1;
  cursor.depth -= 1;
  return `(?:${inner})`;
}

function translateEscape(cursor: Cursor): Piece {
  const next = peek(cursor);
  if (next === undefined) throw new PatternError('it ends in a single backslash (write "\\\\" for the character)');
  cursor.at += 1;
  const operator = GNU_OPERATORS.get(next);
  if (operator !== undefined) return { re2: operator, kind: operator.startsWith('[') ? 'atom' : 'anchor' };
  if (/[1-9]/.test(next)) throw new PatternError(`"\\${next}" refers back to a group, which is not supported`);
  if (/[A-Za-z0]/.test(next)) {
    const hint = HINTS.get(next);
    throw new PatternError(`"\\${next}" means nothing here${hint === undefined ? '' : `; use ${hint}`}`);
  }
  return { re2: quoteRe2(next), kind: 'atom' };
}

/** `[...]`, of which the first bracket has been taken. A backslash is an ordinary character in it. */
function translateBracket(cursor: Cursor): string {
  const isNegated = peek(cursor) === '^';
  if (isNegated) cursor.at += 1;
  let inner = '';
  let isFirst = true;
  while (isFirst || peek(cursor) !== ']') {
    isFirst = false;
    inner += translateBracketItem(cursor);
  }
  cursor.at += 1;
  return `[${isNegated ? '^' : ''}${inner}]`;
}

function translateBracketItem(cursor: Cursor): string {
  const start = takeBracketElement(cursor);
  const isRange = peek(cursor) === '-' && cursor.characters[cursor.at + 1] !== ']';
  if (!isRange) return start.kind === 'class' ? start.text : quoteInBracket(start.text);
  cursor.at += 1;
  const end = takeBracketElement(cursor);
  if (start.kind === 'class' || end.kind === 'class' || codePoint(start.text) > codePoint(end.text)) {
    throw new PatternError(`"${start.text}-${end.text}" is no range of characters`);
  }
  return `${quoteInBracket(start.text)}-${quoteInBracket(end.text)}`;
}

/** One character, `[:class:]`, `[=a=]` or `[.a.]`. */
function takeBracketElement(cursor: Cursor): { readonly kind: 'character' | 'class'; readonly text: string } {
  const first = takeInBracket(cursor);
  const kind = peek(cursor);
  if (first !== '[' || (kind !== ':' && kind !== '=' && kind !== '.')) return { kind: 'character', text: first };
  cursor.at += 1;
  let name = '';
  while (!(peek(cursor) === kind && cursor.characters[cursor.at + 1] === ']')) name += takeInBracket(cursor);
  cursor.at += 2;
  if (kind === ':') {
    if (CLASSES.has(name)) return { kind: 'class', text: `[:${name}:]` };
    throw new PatternError(`"[:${name}:]" is no class; there are ${[...CLASSES].join(', ')}`);
  }
  if ([...name].length !== 1) throw new PatternError(`"[${kind}${name}${kind}]" must hold one character`);
  return { kind: 'character', text: name };
}

function takeInBracket(cursor: Cursor): string {
  if (peek(cursor) === undefined) throw new PatternError('"[" without "]" (write "\\[" for the character)');
  return take(cursor);
}

function quoteInBracket(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function peek(cursor: Cursor): string | undefined {
  return cursor.characters[cursor.at];
}

function take(cursor: Cursor): string {
  const character = cursor.characters[cursor.at] ?? '';
  cursor.at += 1;
  return character;
}
