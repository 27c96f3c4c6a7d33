/**
 * Text that may reach a log or a terminal. Anybody can choose a command line, and
 * with it forge a line of the log or drive the terminal of whoever reads it.
 */

/** What is cut off a text that is too long for a line is replaced by this. */
export const CUT_MARK = ' [cut]';

/**
 * Control characters, and what would turn or hide the text around it: C0, DEL, C1,
 * line and paragraph separators, direction marks, byte-order mark.
 */
const DANGEROUS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
/** A byte that wasn't UTF-8 (see `command-line.ts`), or half a character. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** For what the user wrote: stays as it is, but for what must not reach a terminal. */
export function escapeText(text: string): string {
  return text.replace(DANGEROUS, escapeCharacter).replace(LONE_SURROGATE, escapeSurrogate);
}

/** For what strangers wrote. A backslash is doubled, so that an escape can't be forged. */
export function escapeForeign(text: string): string {
  return escapeText(text.replaceAll('\\', '\\\\'));
}

/** For what is JSON already, in which control characters can no longer be: the others stay readable as JSON. */
export function escapeJson(json: string): string {
  return json.replace(DANGEROUS, (character) => `\\u${hex(character.charCodeAt(0), 4)}`);
}

/** Cuts a text to so many characters, with a mark. */
export function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : text.slice(0, maxLength - CUT_MARK.length) + CUT_MARK;
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
}

function escapeSurrogate(character: string): string {
  const code = character.charCodeAt(0);
  return code >= 0xdc80 && code <= 0xdcff ? `\\x${hex(code - 0xdc00, 2)}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
