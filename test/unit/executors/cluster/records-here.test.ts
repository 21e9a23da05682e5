import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeRecordsHere } from '../../../../src/executors/cluster/records-here';
import { temporaryFolders } from '../../runs/folder';

const folder = temporaryFolders();

it('replaces the records of a run only if they have changed', () => {
  const [run, brought] = ['run', 'brought'].map((name) => join(folder(), name)) as [string, string];
  for (const one of [run, brought]) mkdirSync(one);
  writeFileSync(join(brought, 'spec.json'), JSON.stringify({ model: { path: '/there/m.onnx' } }));
  const here = (path: string) => (path.startsWith('/there/') ? path.replace('/there/', '/here/') : undefined);
  const spec = join(run, 'spec.json');
  const identity = () => statSync(spec).ino;
  writeRecordsHere(run, brought, here);
  expect(JSON.parse(readFileSync(spec, 'utf8'))).toEqual({ model: { path: '/here/m.onnx' } });
  const first = identity();
  writeRecordsHere(run, brought, here);
  expect(identity()).toBe(first);
  // As a power cut may leave it.
  writeFileSync(spec, '');
  writeRecordsHere(run, brought, here);
  expect(readFileSync(spec, 'utf8')).toContain('/here/m.onnx');
  expect(readdirSync(run)).toEqual(['spec.json']);
});
