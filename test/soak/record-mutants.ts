import { clean, type Campaign } from './campaign';
import { mutantReading } from './mutants';
import { ReadingThread } from './reading';
import { RECORDS } from './record-subjects';

const thread = new ReadingThread('records');

/** Damages an answer of another program, or a message of a page, and reads it with the code that receives it. */
export const recordMutants: Campaign = {
  name: 'records',
  slice: 500,
  async trial(draw, folder) {
    const { done, unclean } = await thread.ask(draw.seed, folder);
    clean(unclean === undefined, unclean ?? '');
    return done;
  },
};

export const recordReading = mutantReading(RECORDS);
