/**
 * A test for texts by a word with `*` for any characters and `?` for one. It goes over
 * the text once for each star, whatever the word.
 */
export function toGlob(word: string): (text: string) => boolean {
  const parts = word.split('*');
  const fits = (part: string, text: string, at: number): boolean =>
    at + part.length <= text.length && [...part].every((one, index) => one === '?' || one === text.charAt(at + index));
  const [first = '', ...others] = parts;
  const last = others.pop();
  return (text) => {
    if (last === undefined) return text.length === first.length && fits(first, text, 0);
    if (!fits(first, text, 0)) return false;
    let at = first.length;
    for (const part of others) {
      while (at <= text.length && !fits(part, text, at)) at += 1;
      if (at > text.length) return false;
      at += part.length;
    }
    return text.length - last.length >= at && fits(last, text, text.length - last.length);
  };
}
