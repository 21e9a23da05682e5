/** The place of the text in data.promptTemplate. */
export const TEXT_PLACE = '{text}';

/** Inserts a text into a template. Not replaceAll with a string, in which $& and its like would be commands. */
export const inTemplate = (template: string, text: string): string =>
  template.replaceAll(TEXT_PLACE, () => text);

/** The text that was written into a template, which has a place for it. */
export function outOfTemplate(template: string, written: string): string {
  const [before, ...after] = template.split(TEXT_PLACE);
  const own = written.length - before.length - after.reduce((sum, part) => sum + part.length, 0);
  return written.slice(before.length, before.length + own / after.length);
}
