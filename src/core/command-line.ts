/**
 * The bytes of `/proc/PID/cmdline` as text: arguments joined by spaces, as pgrep and
 * ps join them. Bytes that aren't UTF-8 become the lone surrogates U+DC80 to U+DCFF
 * (0x80 is U+DC80 and so on), so that nothing is lost and two different command lines
 * never look the same.
 */

/** U+DC00: what is added to a byte that isn't UTF-8. */
const BYTE_ESCAPE = 0xdc00;

/** The arguments of a command line given as one character per byte, NUL after each. */
export function splitArguments(latin1: string): string[] {
  const ended = latin1.replace(/\0+$/, '');
  return ended === '' ? [] : ended.split('\0').map(decodeUtf8);
}

/** The command line as one text. A title that a program wrote over its arguments comes out alike. */
export function joinArguments(latin1: string): string {
  return decodeUtf8(latin1.replace(/\0+$/, '').replaceAll('\0', ' '));
}

/** Decodes UTF-8 given as one character per byte, keeping apart the bytes that aren't UTF-8. */
export function decodeUtf8(latin1: string): string {
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  let text = '';
  for (let at = 0; at < latin1.length; ) {
    const length = sequenceLength(latin1, at);
    if (length === 0) {
      text += String.fromCharCode(BYTE_ESCAPE + latin1.charCodeAt(at));
      at += 1;
    } else {
      text += String.fromCodePoint(decodeSequence(latin1, at, length));
      at += length;
    }
  }
  return text;
}

/** How many bytes the character at this place takes; 0 if there is none (RFC 3629, section 4). */
function sequenceLength(latin1: string, at: number): 0 | 1 | 2 | 3 | 4 {
  const lead = latin1.charCodeAt(at);
  if (lead < 0x80) return 1;
  const length = lead >= 0xf5 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  for (let offset = 1; offset < length; offset += 1) {
    const byte = latin1.charCodeAt(at + offset);
    if (!(byte >= 0x80 && byte < 0xc0)) return 0;
  }
  if (length < 3) return length;
  const code = decodeSequence(latin1, at, length);
  const isValid = length === 3 ? code >= 0x800 && (code < 0xd800 || code > 0xdfff) : code >= 0x10000 && code < 0x110000;
  return isValid ? length : 0;
}

function decodeSequence(latin1: string, at: number, length: 0 | 1 | 2 | 3 | 4): number {
  const lead = latin1.charCodeAt(at);
  if (length < 2) return lead;
  let code = lead & (0xff >> (length + 1));
  for (let offset = 1; offset < length; offset += 1) code = (code << 6) | (latin1.charCodeAt(at + offset) & 0x3f);
  return code;
}
