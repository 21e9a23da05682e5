import { readFileSync, writeFileSync } from 'node:fs';
import { clean, type Campaign } from './campaign';
import type { Draw } from './draw';
import { makeSubjects } from './made';
import { damagedBytes, damagedJson } from './mutate';
import { readInEveryWay, type Reading, ReadingThread } from './reading';
import { emptyFolder, placeIn, type Subject } from './subjects';

const thread = new ReadingThread('mutants');

/** Damages one file of a subject and reads it in every possible way, in a thread that may hang or die. */
export const mutants: Campaign = {
  name: 'mutants',
  slice: 250,
  prepare: () => makeSubjects(),
  async trial(draw, folder) {
    const { done, unclean } = await thread.ask(draw.seed, folder);
    clean(unclean === undefined, unclean ?? '');
    return done;
  },
};

/** @param all the subjects */
export const mutantReading =
  (all: readonly Subject[]): Reading =>
  (draw, folder) => {
    const subject = draw.pick(all);
    const file = draw.pick(subject.make(emptyFolder(folder)));
    const how = damage(draw, file);
    const where = `${subject.name}: ${placeIn(folder, file)} (${how})`;
    return readInEveryWay(subject.readers, folder, where);
  };

/**
 * Damages a file.
 *
 * @returns the kind of damage in a word
 */
function damage(draw: Draw, file: string): string {
  const bytes = readFileSync(file);
  const value = /\.(json|jsonl)$/.test(file) && draw.int(3) > 0 ? parsed(bytes) : undefined;
  writeFileSync(file, value === undefined ? damagedBytes(draw, bytes) : serialized(draw, value));
  return value === undefined ? 'bytes' : 'values';
}

/** The parsed JSON, or the lines of a JSON Lines file. */
function parsed(bytes: Buffer): unknown[] | undefined {
  try {
    return bytes
      .toString('utf8')
      .split(/\n(?=[{[])/)
      .map((line) => JSON.parse(line) as unknown);
  } catch {
    return undefined;
  }
}

function serialized(draw: Draw, lines: unknown[]): string {
  const at = draw.int(lines.length);
  return lines
    .map((line, i) => JSON.stringify(i === at ? damagedJson(draw, line) : line) ?? 'null')
    .join('\n')
    .concat('\n');
}
