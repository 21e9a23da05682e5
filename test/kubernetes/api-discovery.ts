const resource = (kind: string) => ({
  name: `${kind.toLowerCase()}s`,
  singularName: kind.toLowerCase(),
  namespaced: true,
  kind,
  verbs: ['create', 'delete', 'get', 'list', 'watch'],
});

const resources = (groupVersion: string, kinds: readonly string[]) => ({
  ...{ kind: 'APIResourceList', apiVersion: 'v1', groupVersion },
  resources: kinds.map(resource),
});

const BATCH = { groupVersion: 'batch/v1', version: 'v1' };

/** kubectl looks here for whether the server validates fields; if not, it would do it with an older schema. */
const openapi = (path: string, group: string, kind: string) => ({
  openapi: '3.0.0',
  info: { title: 'Kubernetes', version: 'v1.32.3' },
  paths: {
    [path]: {
      patch: {
        'x-kubernetes-group-version-kind': { group, version: 'v1', kind },
        parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
        responses: {},
      },
    },
  },
});

const ANSWERS: Record<string, object> = {
  '/version': { major: '1', minor: '32', gitVersion: 'v1.32.3', platform: 'linux/amd64' },
  '/api': { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
  '/apis': {
    ...{ kind: 'APIGroupList', apiVersion: 'v1' },
    groups: [{ name: 'batch', versions: [BATCH], preferredVersion: BATCH }],
  },
  '/api/v1': resources('v1', ['Pod', 'Event', 'PersistentVolumeClaim']),
  '/apis/batch/v1': resources('batch/v1', ['Job']),
  '/openapi/v3': {
    paths: {
      'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=1' },
      'apis/batch/v1': { serverRelativeURL: '/openapi/v3/apis/batch/v1?hash=1' },
    },
  },
  '/openapi/v3/api/v1': openapi('/api/v1/namespaces/{namespace}/pods/{name}', '', 'Pod'),
  '/openapi/v3/apis/batch/v1': openapi('/apis/batch/v1/namespaces/{namespace}/jobs/{name}', 'batch', 'Job'),
};

/** An API server's description of itself, as far as kubectl asks for it. */
export const discovery = (path: string): object | undefined =>
  Object.hasOwn(ANSWERS, path) ? ANSWERS[path] : undefined;
