import { describe, expect, it } from 'vitest';
import { runAnlCases } from '../../src/cli/reference/anl-case';
import { readReference } from '../../src/cli/reference/case';
import { runModelCase } from '../../src/cli/reference/model-case';
import { describeFailure, failures } from '../../src/cli/reference/report';
import type { Place } from '../../src/engine/place';
import { allFiles, fixture, onWebgpu } from './files';

const WEBGPU: Place = { engine: 'onnxruntime', device: 'webgpu' };

describe.runIf(onWebgpu)('WebGPU agrees with PyTorch', () => {
  it.each(allFiles())('%s', async (name) => {
    const file = readReference(fixture(name));
    const report =
      file.kind === 'anl'
        ? await runAnlCases(file.cases, WEBGPU)
        : await runModelCase(file.modelPath, file.case, { place: WEBGPU });
    expect(report.findings.length).toBeGreaterThan(20);
    expect(failures(report).map(describeFailure)).toEqual([]);
  });
});
