import { describe, expect, it } from 'vitest';
import { runAnlCases } from '../../src/cli/reference/anl-case';
import { readReference } from '../../src/cli/reference/case';
import { runModelCase } from '../../src/cli/reference/model-case';
import { describeFailure, failures } from '../../src/cli/reference/report';
import { allFiles, fixture } from './files';

describe('the engine agrees with PyTorch', () => {
  it.each(allFiles())('%s', async (name) => {
    const file = readReference(fixture(name));
    const report =
      file.kind === 'anl' ? await runAnlCases(file.cases) : await runModelCase(file.modelPath, file.case);
    expect(report.findings.length).toBeGreaterThan(20);
    expect(failures(report).map(describeFailure)).toEqual([]);
  });
});
