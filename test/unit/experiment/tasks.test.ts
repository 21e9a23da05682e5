import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../src/experiment/experiment';
import schema from '../../../src/experiment/experiment.schema.json';
import { METRICS } from '../../../src/experiment/metrics';
import {
  DEFAULT_TASK,
  describeTask,
  shapesOf,
  TASKS,
  type TaskName,
} from '../../../src/experiment/tasks/registry';
import { taskKind } from '../../../src/tasks/task-registry';

const names = Object.keys(TASKS) as TaskName[];

describe('a kind of task', () => {
  it('has its two halves and is in the schema', () => {
    expect(schema.properties.task.properties.type).toMatchObject({ enum: names, default: DEFAULT_TASK });
    for (const name of names) {
      expect(METRICS).toEqual(expect.arrayContaining([...describeTask(name).metrics]));
      expect(taskKind({ type: name }).objective).toBeTruthy();
    }
  });

  it('has no shapes if it comes from another version', () => {
    const shapes = (type: string, data: object = {}) => shapesOf({ task: { type }, data } as Experiment);
    expect(shapes('text-classification')).toEqual({ input: 'text', answer: 'label' });
    expect(shapes('text-classification', { textPairColumn: 'b' })).toEqual({
      input: 'pair',
      answer: 'label',
    });
    expect(shapes('text-regression')).toEqual({ input: 'text', answer: 'number' });
    expect(shapes('multi-label-classification')).toEqual({ input: 'text', answer: 'labels' });
    expect(shapes('token-classification')).toEqual({ input: 'text', answer: 'spans' });
    for (const name of ['spoken-words', 'constructor', '__proto__']) expect(shapes(name)).toBeUndefined();
  });

  it('is named only in its own file, the registries and the schema', () => {
    const allowed = names.map((name) => `tasks/${name}.ts`);
    const registries = ['experiment/tasks/registry.ts', 'tasks/task-registry.ts'];
    // Optimum has a task with the same name.
    const optimum = 'architectures/unknown-type/optimum-exports.ts';
    const quoted = new RegExp(`['"\`](${names.join('|')})['"\`]`);
    const found = ['src', 'webview'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .filter((file) => quoted.test(readFileSync(join(folder, file), 'utf8'))),
    );
    expect(found.filter((file) => ![...allowed, ...registries, optimum].includes(file))).toEqual([]);
    expect(found).toEqual(expect.arrayContaining(registries));
  });
});
