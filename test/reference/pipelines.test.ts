import { describe, expect, it } from 'vitest';
import { CPU, type Place } from '../../src/engine/place';
import { runModelCase } from '../../src/cli/commands/reference/model-case';
import { describeFailure, failures } from '../../src/cli/commands/reference/reference';
import { agrees } from './agrees';
import { fixture, modelFile, pipelineFiles } from './files';
import { forwardErrors } from './forward-cases';

const PLACES: [string, Place][] = [
  ['ONNX Runtime', CPU],
  ['TensorFlow.js', { engine: 'tfjs', device: 'wasm' }],
];
const isForward = (name: string) => name.endsWith('-forward.json');
const forward = pipelineFiles().filter(isForward);
const trained = pipelineFiles().filter((name) => !isForward(name));

describe.each(PLACES)("models from diffusers' folders agree with PyTorch on %s", (_, place) => {
  it.each(trained)('in training: %s', (name) => agrees(name, { place }));

  it.each(forward)('forward: %s', async (name) => {
    const errors = await forwardErrors(fixture(name), place);
    expect(errors.size).toBeGreaterThan(1);
    for (const [output, error] of errors) expect(error, output).toBeLessThan(1e-4);
  });
});

describe('a pipeline that was exported to ONNX agrees with PyTorch', () => {
  it.each(['../diffusers/sdxl-lora.json', '../diffusers/sdxl-text-aurora.json'])('on %s', async (name) => {
    const { case: c } = modelFile(name);
    const report = await runModelCase(fixture('../diffusers/sdxl-onnx'), c);
    expect(failures(report).map(describeFailure)).toEqual([]);
    expect(report.findings.length).toBeGreaterThan(20);
  });
});
