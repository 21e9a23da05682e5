import { applyOverride, parseOverride } from '../../../src/runs/experiment/overrides';
import { expect, it } from 'vitest';
import { changedSettings, optionalCount, optionalTexts, text } from '../../../src/tools/input';

it('settings become overrides of the command line', () =>
  expect(
    changedSettings({
      settings: {
        'training.learningRate': 0.001,
        'adapter.targetModules': ['query'],
        'training.metric': 'f1',
      },
    }),
  ).toEqual(['training.learningRate=0.001', 'adapter.targetModules=["query"]', 'training.metric="f1"']));

it.each(['model.path', 'data.train', 'training', 'adapter.', 'training.epochs=1 --run /etc', '--run'])(
  'the setting %s is refused: a tool changes nothing that names a file',
  (key) =>
    expect(() => changedSettings({ settings: { [key]: 'x' } })).toThrow(/cannot be changed for one run/),
);

it('input of the wrong kind is named', () => {
  expect(() => text({}, 'experiment')).toThrow('"experiment" must be given.');
  expect(() => text({ experiment: 3 }, 'experiment')).toThrow('"experiment" must be a string.');
  expect(() => optionalCount({ rank: 0 }, 'rank')).toThrow('"rank" must be a whole number of at least 1.');
  expect(optionalCount({ waitSeconds: 0 }, 'waitSeconds', 0)).toBe(0);
  expect(() => optionalTexts({ runs: 'a' }, 'runs')).toThrow('"runs" must be an array of strings.');
  expect(() => changedSettings({ settings: 'training.epochs=1' })).toThrow(/"settings" must be an object/);
});

it.each(['adapter.constructor.prototype.x', 'training.prototype', 'adapter.__proto__.rank', 'constructor.x'])(
  'the setting %s is refused, as --set refuses it',
  (key) => {
    const reserved = /is not a setting: no key may contain (__proto__|constructor|prototype)/;
    expect(() => changedSettings({ settings: { [key]: 1 } })).toThrow(reserved);
    expect(applyOverride({}, parseOverride(`${key}=1`))[0].message).toMatch(reserved);
  },
);
