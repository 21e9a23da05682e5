import { describe, expect, it } from 'vitest';
import { type Kubectl, serverIn } from '../../../../src/executors/kubernetes/kubectl';
import { itemsOf, requireShape } from '../../../../src/executors/kubernetes/object-shapes';
import { listPods } from '../../../../src/executors/kubernetes/pods';

const refusal = {
  name: 'AuroraError',
  kind: 'network',
  message: expect.stringContaining('of another shape'),
};
const pod = { metadata: { name: 'p' }, spec: {}, status: { phase: 'Running' } };
const job = { metadata: { name: 'j', creationTimestamp: null }, spec: { completions: 2 } };
const thrown = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (e) {
    return e;
  }
};

describe('answers of Kubernetes of another shape are refused by name', () => {
  it.each<[string, unknown]>([
    ['a text', 'no'],
    ['no items', {}],
    ['items that are no list', { items: { 0: pod } }],
    ['an empty item', { items: [null] }],
    ['an item without metadata', { items: [{ spec: {} }] }],
    ['an item without spec', { items: [{ metadata: { name: 'p' } }] }],
    ['a name that is an option', { items: [{ ...pod, metadata: { name: '--all' } }] }],
    ['labels that are no texts', { items: [{ ...pod, metadata: { name: 'p', labels: { a: {} } } }] }],
    ['conditions that are no list', { items: [{ ...pod, status: { conditions: 'Failed' } }] }],
    ['a message that is no text', { items: [{ ...pod, status: { message: 3 } }] }],
    ['an exit code that is no number', { items: [{ ...pod, status: { containerStatuses: [{ name: 'trainer', state: { terminated: { exitCode: 'x' } } }] } }] }], // prettier-ignore
    ['a mark of the next page that is no text', { items: [pod], metadata: { continue: {} } }],
  ])('a list of pods: %s', async (_, answer) => {
    const kubectl = { name: 'K', place: async () => ({ namespace: 'n' }), get: async () => answer };
    const list = async () => {
      for await (const one of listPods(kubectl as unknown as Kubectl, {
        labelSelector: '',
        fieldSelector: '',
      }))
        expect(one).toBeUndefined();
    };
    await expect(list()).rejects.toMatchObject(refusal);
  });

  it.each<[string, unknown]>([
    ['completions that are no number', { ...job, spec: { completions: '2' } }],
    ['indexes that are no text', { ...job, status: { failedIndexes: [0] } }],
  ])('a list of jobs: %s', (_, one) =>
    expect(thrown(() => itemsOf('K', 'jobs', { items: [one] }))).toMatchObject(refusal),
  );

  it.each<[Parameters<typeof requireShape>[1], unknown]>([
    ['a pod', []],
    ['a volume claim', { spec: { accessModes: 'ReadWriteMany' } }],
    ['its version', { serverVersion: { major: 1, minor: 29 } }],
  ])('%s', (what, answer) => expect(thrown(() => requireShape('K', what, answer))).toMatchObject(refusal));

  it.each(['{}', '[]', 'null', '{"current-context":"c","contexts":null,"clusters":[]}'])(
    'a configuration %s',
    (stdout) =>
      expect(thrown(() => serverIn('K', { code: 0, stdout, stderr: '' }, {}))).toMatchObject(refusal),
  );

  it('a configuration that is not JSON', () =>
    expect(thrown(() => serverIn('K', { code: 0, stdout: '<html>', stderr: '' }, {}))).toMatchObject({
      kind: 'network',
      message: expect.stringContaining('cut off'),
    }));
});

it('what Go leaves unset is no other shape', () => {
  expect(itemsOf('K', 'jobs', { items: [job], metadata: { continue: '' } })).toEqual({ items: [job] });
  expect(itemsOf('K', 'pods', { items: null })).toEqual({ items: [] });
  expect(itemsOf('K', 'events', undefined)).toEqual({ items: [] });
});
