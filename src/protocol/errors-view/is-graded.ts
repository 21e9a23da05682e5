import type { Answers } from '../predictions';

/** Answers that are more or less far off, or more or less unlikely, and never wrong. */
const GRADED: readonly Answers['answer'][] = ['number', 'text', 'picture'];

export const isGraded = (answer: Answers['answer']): boolean => GRADED.includes(answer);
