/** Words of a POSIX shell (Shell Command Language, 2.2), made and taken apart. */

/** As a shell takes it for one word. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Words as a POSIX shell splits them, without anything expanded; `null` if a quote has no end. */
export function splitWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quoted = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (quoted === "'") {
      if (character === "'") quoted = '';
      else word += character;
    } else if (character === '\\' && (quoted === '' || /["\\$`]/.test(text[at + 1] ?? ''))) {
      word = (word ?? '') + (text[at + 1] ?? '');
      at += 1;
    } else if (quoted === '"') {
      if (character === '"') quoted = '';
      else word += character;
    } else if (character === "'" || character === '"') {
      quoted = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + character;
  }
  if (quoted !== '') return null;
  return word === null ? words : [...words, word];
}
