import { expect, it } from 'vitest';
import { foundRepo, repoFiles, repoInfo } from '../../../src/hub/hub-api';
import { commitOf } from '../../hub/repository';

const sha = commitOf('a commit');
/** The address of the hub's description of a repository. */
const at = (id: string) => new URL(`https://hub.example/api/models/${id}/revision/main`);

it.each(['../up', '..\\..\\up', 'a/b/c', 'a/b\u001b[2J', '$(alert)', '--yes', '-y', '', 'a/b.git'])(
  'takes no repository called %j, which becomes a folder and an argument',
  (id) => {
    expect(() => repoInfo('model', id, 'main', { id, sha }, at(id))).toThrow(
      /^The server is not a compatible hub/,
    );
    expect(foundRepo('model', { id })).toBeUndefined();
  },
);

it.each(['gpt2', 'an-org/a-model', '_x/a.b_c-1'])('takes one called %s', (id) => {
  expect(repoInfo('model', id, 'main', { id, sha }, at(id))).toMatchObject({ id, commit: sha });
  expect(foundRepo('model', { id })).toMatchObject({ id });
});

it('takes no description of another repository, and calls a renamed one as it was asked for', () => {
  const answer = { id: 'other/model', sha };
  expect(() => repoInfo('model', 'mine/model', 'main', answer, at('mine/model'))).toThrow(
    /asked for mine\/model, it describes other\/model/,
  );
  expect(repoInfo('model', 'mine/model', 'main', answer, at('other/model')).id).toBe('mine/model');
  expect(repoInfo('model', 'Mine/model', 'main', { id: 'mine/Model', sha }, at('x/y')).id).toBe('Mine/model');
});

it('takes no description of another commit than the one that was asked for', () => {
  const other = commitOf('another commit');
  expect(() => repoInfo('model', 'a/b', other, { id: 'a/b', sha }, at('a/b'))).toThrow(/it describes/);
  expect(repoInfo('model', 'a/b', sha, { id: 'a/b', sha }, at('a/b')).commit).toBe(sha);
});

it.each([
  'NUL',
  'con',
  'x/COM1',
  'aux.txt',
  'Lpt9.tar.gz',
  'com\u00b2',
  'nul .txt',
  'PRN/x',
  'CONIN$',
  'a.',
  'a ',
  'x. /y',
])('takes no file called %j on Windows', (path) => {
  const listed = [{ type: 'file', path, size: 1, oid: sha }];
  expect(() => repoFiles(listed, 'win32')).toThrow(/names a file/);
});

it.each(['null', 'console.json', 'com', 'com10', 'nul_x', 'auxiliary.py', 'lpt', 'x.nul'])(
  'takes a file called %j on Windows',
  (path) => expect(repoFiles([{ type: 'file', path, size: 1, oid: sha }], 'win32')).toHaveLength(1),
);
