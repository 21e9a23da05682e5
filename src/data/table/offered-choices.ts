/** The line that ends an instruction of Commonsense170K. */
const FORMAT = /Answer format:\s*([^\s/]+(?:\/[^\s/]+)+)/;
/** A choice in an instruction, such as "Ending2: …". */
const NAMED = /\b([a-z]+\d+):/gi;

/**
 * The answers that an instruction of Commonsense170K allows: the words of its "Answer format: answer1/answer2", and any
 * further ones that it lists, such as "Answer5: …". Undefined if it has no answer format.
 */
export function offeredChoices(instruction: string): string[] | undefined {
  const format = FORMAT.exec(instruction);
  if (!format) return undefined;
  const choices = format[1].split('/');
  const family = stem(choices[0]);
  const listed = [...instruction.matchAll(NAMED)]
    .map(([, name]) => name.toLowerCase())
    .filter((name) => stem(name) === family);
  return [...new Set([...choices, ...listed])];
}

/** "answer" of "answer1". */
const stem = (choice: string): string => choice.replace(/\d+$/, '');
