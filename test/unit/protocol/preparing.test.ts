import { expect, it } from 'vitest';
import {
  parsePreparing,
  preparedPercent,
  preparingRead,
  preparingText,
  type Preparing,
} from '../../../src/protocol/preparing';

const STAGES: [Preparing, string, number | undefined][] = [
  [{ doing: 'reading', file: 'a.csv', percent: 43 }, 'Reading a.csv: 43%', 43],
  [
    { doing: 'tokenizing', file: 'a.jsonl', done: 2000, of: 8000 },
    'Tokenizing a.jsonl: 2,000 of 8,000 rows',
    25,
  ],
  [{ doing: 'model' }, 'Reading the model', undefined],
  [{ doing: 'measuring', places: 'ONNX Runtime on cpu' }, 'Measuring ONNX Runtime on cpu', undefined],
  [{ doing: 'opening' }, 'Opening the model', undefined],
  [{ doing: 'trying' }, 'Trying the longest examples', undefined],
  [{ doing: 'writing', done: 330, of: 1320 }, 'Writing answers: 330 of 1,320', 25],
];

it.each(STAGES)('a run that is being prepared says so: %j', (stage, text, percent) => {
  expect(parsePreparing(JSON.parse(JSON.stringify(stage)))).toEqual(stage);
  expect(preparingText(stage)).toBe(text);
  expect(preparedPercent(stage)).toBe(percent);
});

it('a preparation that is damaged or unknown is none', () => {
  for (const value of [
    null,
    7,
    'model',
    {},
    { doing: 'later' },
    { doing: 'reading', file: 'a' },
    { doing: 'tokenizing', file: 'a', done: '1', of: 2 },
    { doing: 'measuring' },
    { doing: 'writing', done: 3 },
  ])
    expect(parsePreparing(value)).toBeUndefined();
});

it('the model is read after a file of data has been', () => {
  expect(preparingRead('a', 1, 2)).toEqual({ doing: 'reading', file: 'a', percent: 50 });
  expect(preparingRead('a', 2, 2)).toEqual({ doing: 'model' });
});
