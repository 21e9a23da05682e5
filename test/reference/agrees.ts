import { isAbsolute } from 'node:path';
import { expect } from 'vitest';
import { runAnlCases } from '../../src/cli/commands/reference/anl-case';
import { readReference } from '../../src/cli/commands/reference/case';
import { runModelCase } from '../../src/cli/commands/reference/model-case';
import { describeFailure, failures } from '../../src/cli/commands/reference/reference';
import type { TaskOptions } from '../../src/engine/stepper';
import { fixture } from './files';

/** Expects a reference file (by its name in the fixtures, or its path), run with these options, to give PyTorch's values. */
export async function agrees(name: string, options: TaskOptions = {}): Promise<void> {
  const file = readReference(isAbsolute(name) ? name : fixture(name));
  const report =
    file.kind === 'anl'
      ? await runAnlCases(file.cases, options.place)
      : await runModelCase(file.modelPath, file.case, options);
  expect(report.findings.length).toBeGreaterThan(20);
  expect(failures(report).map(describeFailure)).toEqual([]);
}
