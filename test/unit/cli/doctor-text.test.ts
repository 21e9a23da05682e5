import { expect, it } from 'vitest';
import { doctorText } from '../../../src/cli/commands/doctor/report';

it('the doctor says what it measures, and each result as soon as there is one', () => {
  const place = { engine: 'onnxruntime', device: 'cpu' };
  expect(doctorText({ kind: 'checking', ...place, number: 1, of: 3 })).toBe(
    'Measuring onnxruntime on cpu (1 of 3): matrix products, then training steps…\n',
  );
  const measured = { kind: 'place', ...place, gflops: 95.2, size: 512, stepsPerSecond: 42 } as const;
  expect(doctorText(measured)).toMatch(/^ {2}95[.\d]* GFLOP\/s, 42[.\d]* steps\/s\n$/);
  expect(doctorText({ kind: 'place', ...place, problem: 'There is no GPU.' })).toBe('  There is no GPU.\n');
});
