import { expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { refusalRows } from '../../../../src/extension/tree/model-rows';
import { modelReport } from '../../../../src/extension/words/model-report';
import { refusalOf } from '../../../../src/extension/words/refusal-text';

const PATH = '/work/models/tiny_bert';
const ERROR = new AuroraError(
  'model',
  `${PATH}/config.json: is_decoder is true, which is not supported.\n${PATH}/config.json: pruned_heads is {"0":[1]}, which is not supported.`,
  'Export the model to ONNX with Optimum.',
);

it('a refusal has a reason for each key, with files named as in the folder', () => {
  expect(refusalOf(PATH, ERROR)).toEqual({
    reasons: [
      'config.json: is_decoder is true, which is not supported.',
      'config.json: pruned_heads is {"0":[1]}, which is not supported.',
    ],
    hint: 'Export the model to ONNX with Optimum.',
  });
  const missing = new AuroraError('model', `The model file ${PATH} does not exist.`);
  expect(refusalOf(PATH, missing)).toEqual({ reasons: ['The model file tiny_bert does not exist.'] });
});

it('the next step comes before the list of what is supported', () =>
  expect(
    refusalOf(
      PATH,
      new AuroraError('model', 'x', 'Supported: "bert", "gpt2". Export the model. Use that file.'),
    ).hint,
  ).toBe('Export the model. Use that file. Supported: "bert", "gpt2".'));

it("the Models view's rows of such a model are its reasons", () => {
  const rows = refusalRows(refusalOf(PATH, ERROR));
  expect(rows.map((r) => [r.label.slice(0, 30), r.description])).toEqual([
    ['config.json: is_decoder is tru', 'Export the model to ONNX with Optimum.'],
    ['config.json: pruned_heads is {', ''],
  ]);
});

it('its report lists the reasons and what to do', () =>
  expect(modelReport(PATH, ERROR)).toEqual({
    title: 'tiny_bert cannot be used',
    parts: [
      { list: refusalOf(PATH, ERROR).reasons },
      { heading: 'What to do' },
      'Export the model to ONNX with Optimum.',
      `The model is \`${PATH}\`.`,
    ],
  }));
