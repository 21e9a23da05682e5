import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { jobManifest } from '../../src/executors/kubernetes/manifest';
import { discovery } from './api-discovery';
import { page, selects } from './selector';
import { Refusal, type SimulatedCluster } from './simulated-cluster';

const NAMESPACE = 'team';
/** Behind a proxy, such as Rancher's, an API server's address has a path. */
const ROOT = '/k8s/clusters/c-1';

export interface ApiServer {
  /** Variables with which `kubectl` finds it, as the context `name`, and nothing of the user's own. */
  env: { KUBECONFIG: string; KUBECACHEDIR: string };
  /** Requests that changed something, such as `POST /apis/batch/v1/namespaces/team/jobs?fieldValidation=Strict`. */
  changes: string[];
  /** Requests that listed objects. */
  lists: string[];
  close(): Promise<void>;
}

/** An API server in front of a simulated cluster, for the real kubectl: it has what our commands need. */
export async function apiServer(folder: string, cluster: SimulatedCluster, name = 'lab'): Promise<ApiServer> {
  const changes: string[] = [];
  const lists: string[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = 'GET', url: asked = '/' } = request;
      const url = asked.startsWith(`${ROOT}/`) ? asked.slice(ROOT.length) : `/outside${asked}`;
      if (method !== 'GET') changes.push(`${method} ${url}`);
      else if (url.includes('labelSelector')) lists.push(url);
      const { status, value } = answer(cluster, method, new URL(url, 'http://server'), body);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'config');
  writeFileSync(config, JSON.stringify(kubeconfig(name, port)));
  return {
    env: { KUBECONFIG: config, KUBECACHEDIR: join(folder, 'cache') },
    ...{ changes, lists },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** YAML reads JSON. */
const kubeconfig = (name: string, port: number) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name, cluster: { server: `http://127.0.0.1:${port}${ROOT}` } }],
  users: [{ name, user: {} }],
  contexts: [{ name, context: { cluster: name, user: name, namespace: NAMESPACE } }],
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}

interface Reply {
  status: number;
  value: unknown;
}

function answer(cluster: SimulatedCluster, method: string, url: URL, body: string): Reply {
  const known = method === 'GET' ? discovery(url.pathname) : undefined;
  if (known) return { status: 200, value: known };
  try {
    return resource(cluster, method, url, body);
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    return { status: e.status, value: failure(e) };
  }
}

const failure = ({ status: code, reason, message }: Refusal) => ({
  ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
});

const PATH = new RegExp(`^(?:/api/v1|/apis/batch/v1)/namespaces/${NAMESPACE}/(\\w+)(?:/([^/]+))?$`);

function resource(cluster: SimulatedCluster, method: string, url: URL, body: string): Reply {
  const [, kind, name] = PATH.exec(url.pathname) ?? [];
  const list = kind === undefined ? undefined : LISTS[kind]?.(cluster);
  if (!list) throw new Refusal(404, 'NotFound', `the server could not find ${url.pathname}`);
  const { apiVersion, items } = list;
  if (method === 'POST') {
    // A strict server refuses what its schema does not have; the cluster validates it.
    if (url.searchParams.get('fieldValidation') !== 'Strict')
      throw new Refusal(400, 'BadRequest', 'fieldValidation must be Strict');
    const manifest = JSON.parse(body) as ReturnType<typeof jobManifest>;
    cluster.create(manifest);
    return { status: 201, value: manifest };
  }
  if (name === undefined) {
    const chosen = items.filter((item) => isSelected(item, url.searchParams));
    const kindOfList = `${list.kind}List`;
    return {
      status: 200,
      value: { apiVersion, kind: kindOfList, ...page(chosen, url.searchParams) },
    };
  }
  const found = items.find(({ metadata }) => metadata.name === name);
  if (!found) throw new Refusal(404, 'NotFound', `${kind} "${name}" not found`);
  if (method === 'GET') return { status: 200, value: found };
  if (kind === 'jobs') cluster.deleteJob(name);
  else cluster.deletePod(cluster.pods.get(name)!);
  return { status: 200, value: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
}

interface Item {
  metadata: { name: string; labels?: Record<string, string> };
  status?: { phase?: string };
}

/** Each item with its kind, as a server returns it. */
const LISTS: Record<
  string,
  (cluster: SimulatedCluster) => { apiVersion: string; kind: string; items: Item[] }
> = {
  jobs: (cluster) =>
    typed(
      'batch/v1',
      'Job',
      [...cluster.jobs.values()].map((job) => job.object()),
    ),
  pods: (cluster) =>
    typed(
      'v1',
      'Pod',
      cluster.podList().map(({ object }) => object),
    ),
  persistentvolumeclaims: (cluster) =>
    typed(
      'v1',
      'PersistentVolumeClaim',
      [...cluster.claims].map(([name, claim]) => ({ metadata: { name }, ...claim })),
    ),
  events: () => typed('v1', 'Event', []),
};

const typed = (apiVersion: string, kind: string, items: readonly object[]) => ({
  apiVersion,
  kind,
  items: items.map((item) => ({ apiVersion, kind, ...item }) as unknown as Item),
});

const isSelected = ({ metadata, status }: Item, query: URLSearchParams): boolean =>
  selects(query.get('labelSelector') ?? '', metadata.labels ?? {}) &&
  selects(query.get('fieldSelector') ?? '', {
    'status.phase': status?.phase,
    'metadata.name': metadata.name,
  });
