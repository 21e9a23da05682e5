import { expect, it } from 'vitest';
import { foundRepo, repoInfo } from '../../../src/hub/answers';
import { commitOf } from '../../hub/repository';

const sha = commitOf('a commit');

it.each(['../up', '..\\..\\up', 'a/b/c', 'a/b\u001b[2J', '$(alert)', '--yes', '-y', '', 'a/b.git'])(
  'takes no repository called %j, which becomes a folder and an argument',
  (id) => {
    expect(() => repoInfo('model', 'main', { id, sha })).toThrow(/^The server does not answer as a hub does/);
    expect(foundRepo('model', { id })).toBeUndefined();
  },
);

it.each(['gpt2', 'an-org/a-model', '_x/a.b_c-1'])('takes one called %s', (id) => {
  expect(repoInfo('model', 'main', { id, sha })).toMatchObject({ id, commit: sha });
  expect(foundRepo('model', { id })).toMatchObject({ id });
});
