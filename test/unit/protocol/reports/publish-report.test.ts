import { describe, expect, it } from 'vitest';
import {
  publishDetail,
  publishedText,
  publishParts,
  publishProgress,
  publishQuestion,
} from '../../../../src/protocol/reports/publish-report';
import type { MergeChoice } from '../../../../src/protocol/export';
import type { Published, PublishLine, PublishPlan } from '../../../../src/protocol/publish';
import { exportRecord } from '../../extension/transfer/record';

const plan: PublishPlan = {
  kind: 'plan',
  repo: 'alice/rte',
  isNew: true,
  private: true,
  host: 'hub.example',
  base: 'an-org/bert',
  revision: 'abcdef0123456789',
  run: 'a-run',
  step: 1200,
  exported: { form: 'adapter', metrics: exportRecord().metrics, drop: { metric: 'accuracy', loss: 0 } },
  files: [
    { path: 'README.md', size: 3000, change: 'new' },
    { path: 'adapter_config.json', size: 700, change: 'unchanged' },
    { path: 'adapter_model.safetensors', size: 1_000_000, change: 'replaced' },
  ],
  size: 1_003_000,
  warnings: ['It replaces the adapter of another run (b).'],
};

describe('the texts of publishing', () => {
  it('ask with the repository, who can see it, the host, and every file with its size', () => {
    expect(publishQuestion(plan)).toBe('Create the private repository alice/rte and upload the adapter?');
    expect(publishDetail(plan).split('\n\n')).toEqual([
      'The adapter of a-run at step 1,200, for an-org/bert@abcdef0.',
      'README.md, 3.0 KB\nadapter_config.json, 700 B, is there already\nadapter_model.safetensors, 1.0 MB, replaces the file there',
      '1.0 MB, to the new repository alice/rte on hub.example and the storage that it names. Only you, and those to whom you give access, can see it.',
      'It replaces the adapter of another run (b).',
    ]);
    const open = {
      ...plan,
      isNew: false,
      private: false,
      revision: undefined,
      files: Array(14).fill(plan.files[0]),
    };
    expect(publishQuestion(open)).toBe('Upload the adapter to the public repository alice/rte?');
    expect(publishDetail(open)).toContain('and 2 more files');
    expect(publishDetail(open)).toContain('Everybody can see it');
  });

  it('state the result of a LoRA that stands for AuroRA', () => {
    const { form, metrics, drop } = exportRecord({ form: 'peft-lora' });
    const text = (merge: MergeChoice) => publishDetail({ ...plan, exported: { form, merge, metrics, drop } });
    expect(text('fitted')).toContain(
      'for an-org/bert@abcdef0. It is a LoRA, in which AuroRA’s nonlinearity is replaced by its linear fit: accuracy is 50.0% on the validation data, and 75.0% as trained.',
    );
    expect(text('paper')).toContain('It is a LoRA, made by the paper’s merge: accuracy is 50.0%');
  });

  it('list the same in a terminal, as a table', () => {
    const [adapter, files, target, warnings] = publishParts(plan);
    expect([adapter, target]).toEqual([
      'The adapter of a-run at step 1,200, for an-org/bert@abcdef0.',
      '1.0 MB, to the new repository alice/rte on hub.example and the storage that it names. Only you, and those to whom you give access, can see it.',
    ]);
    expect(files).toMatchObject({
      rows: [
        ['README.md', '3.0 KB', ''],
        ['adapter_config.json', '700 B', 'is there already'],
        ['adapter_model.safetensors', '1.0 MB', 'replaces the file there'],
      ],
    });
    expect(warnings).toMatchObject({ problems: [{ severity: 'warning', message: plan.warnings[0] }] });
  });

  it('report progress', () => {
    const text = (line: PublishLine) => publishProgress(line);
    expect(text({ kind: 'sending', path: 'a', done: 1000, total: 3000 })).toBe('1.0 KB of 3.0 KB · a');
    expect(text({ kind: 'retrying', reason: 'It failed.', seconds: 2 })).toMatch(
      /^It failed\. Trying again in 2/,
    );
    expect(text({ kind: 'measuring', what: 'exported', examples: 24 })).toContain('24 examples');
    expect(text({ kind: 'ask' })).toBeUndefined();
  });

  it('say where it is now', () => {
    const done = { kind: 'published', repo: 'alice/rte', commit: 'abcdef0123', isNew: true } as Published;
    expect(publishedText(done, done.repo)).toBe('The adapter was published as alice/rte, at commit abcdef0.');
    expect(publishedText({ ...done, isNew: false }, 'alice/rte')).toMatch(
      /^alice\/rte has exactly this adapter already/,
    );
  });
});
