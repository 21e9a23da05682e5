import { expect, it } from 'vitest';
import { always, runSteps, titleAt, type Outcome, type Step } from '../../../src/extension/ask/run-steps';

interface State {
  titles: string[];
  ranked?: boolean;
}

const step = (answer: (state: State) => Outcome, more: Partial<Step<State>> = {}): Step<State> => ({
  ...always,
  ...more,
  run(state, place) {
    state.titles.push(titleAt(place));
    return Promise.resolve(answer(state));
  },
});
const next = () => 'next' as const;

const rank: Partial<Step<State>> = { applies: (s) => s.ranked === true, ahead: (s) => s.ranked ?? 'likely' };

it.each([
  [true, ['Make (1 of about 4)', 'Make (2 of about 4)', 'Make (3 of 4)', 'Make (4 of 4)']],
  [false, ['Make (1 of about 4)', 'Make (2 of about 4)', 'Make (3 of 3)']],
])('titles count the steps of this path alone, once they are known (%s)', async (ranked, titles) => {
  const state: State = { titles: [] };
  const method = step((s) => {
    s.ranked = ranked;
    return 'next';
  });
  expect(await runSteps('Make', [step(next), method, step(next, rank), step(next)], state)).toBe(true);
  expect(state.titles).toEqual(titles);
});

it('does not count a step that only its own turn decides, and says so', async () => {
  const state: State = { titles: [] };
  const late = step(next, { applies: () => Promise.resolve(false), ahead: undefined });
  await runSteps('Make', [step(next), late, step(next)], state);
  expect(state.titles).toEqual(['Make (1 of about 2)', 'Make (2 of 2)']);
});

it('goes back to the step that was asked before, and ends when canceled', async () => {
  const state: State = { titles: [] };
  const answers: Outcome[] = ['back', 'cancel'];
  const never = step(next, { applies: () => false, ahead: () => false });
  expect(await runSteps('Make', [step(next), never, step(() => answers.shift()!)], state)).toBe(false);
  expect(state.titles).toEqual(['Make (1 of 2)', 'Make (2 of 2)', 'Make (1 of 2)', 'Make (2 of 2)']);
});
