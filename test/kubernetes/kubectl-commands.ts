import type { jobManifest } from '../../src/executors/kubernetes/manifest';
import { FilesPods } from './files-pods';
import { page, selects } from './selector';
import { Refusal, type SimulatedCluster } from './simulated-cluster';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
  /** For `exec`: what the stand-in runs itself, with its own standard input. */
  exec?: readonly string[];
}

const done = (stdout = ''): Answer => ({ code: 0, stdout, stderr: '' });
const json = (value: unknown): Answer => done(value === undefined ? '' : JSON.stringify(value));
const error = (stderr: string): Answer => ({ code: 1, stdout: '', stderr: `${stderr}\n` });

/** kubectl's answers to the commands that we use. Any other command is an error, so that a test notices it. */
export class KubectlCommands {
  /** Each command without the options that name the cluster. */
  readonly calls: string[][] = [];
  readonly files = new FilesPods();
  /** The user's current context. The cluster is that of `lab`, and everything of a sweep in the namespace `team`. */
  current = 'lab';

  constructor(private readonly cluster: SimulatedCluster) {}

  run(args: readonly string[], input: string): Answer {
    const place = args.filter((arg) => /^--(context|namespace)=/.test(arg));
    const words = args.filter((arg) => !place.includes(arg));
    if (words[0] === 'config') return json(this.configuration(place));
    this.calls.push([...words]);
    if (place.join(' ') !== '--context=lab --namespace=team')
      return error(`error: this cluster is not that of ${place.join(' ')}`);
    const { unreachable } = this.cluster;
    if (unreachable !== undefined) return error(`E1128 memcache.go:265] "Unhandled Error"\n${unreachable}`);
    try {
      return this.answer(words, input);
    } catch (e) {
      if (e instanceof Refusal) return error(`Error from server (${e.reason}): ${e.message}`);
      throw e;
    }
  }

  private answer([verb, what, ...rest]: string[], input: string): Answer {
    const option = (name: string): string | undefined =>
      [what ?? '', ...rest].find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
    const fields = option('field-selector') ?? '';
    const labels = option('selector') ?? '';
    switch ([verb, what].join(' ')) {
      case 'version --output=json':
        return json({ clientVersion: {}, serverVersion: { major: '1', minor: '32' } });
      case 'get persistentvolumeclaim':
        return json(this.cluster.claims.get(rest[0]!));
      case 'get jobs,pods': {
        const { forbidden } = this.cluster;
        const why = `User "me" cannot list resource "${forbidden}" in API group "" in the namespace "team"`;
        if (forbidden !== undefined) throw new Refusal(403, 'Forbidden', `${forbidden} is forbidden: ${why}`);
        return json({ items: [] });
      }
      case 'get jobs':
        return json({
          items: [...this.cluster.jobs.values()]
            .filter((job) => selects(labels, job.manifest.metadata.labels))
            .map((job) => job.object()),
        });
      case 'get --raw':
        return this.raw(new URL(rest[0]!, 'http://server'));
      case 'get pod':
        return json(this.files.get(rest[0]!));
      case 'get events':
        return json({
          items: this.cluster.events.filter(({ involvedObject: { kind, name }, type }) =>
            selects(fields, { 'involvedObject.kind': kind, 'involvedObject.name': name, type }),
          ),
        });
      case 'create --filename=-':
        return this.create(JSON.parse(input) as object);
      case 'delete pods':
        for (const { pod } of this.cluster.podList())
          if (selects(labels, pod.labels)) this.cluster.deletePod(pod);
        return done();
      case 'delete pod':
        this.files.delete(rest[0]!);
        return done();
      case 'wait --for=condition=Ready':
        if (this.files.waiting) return error(`error: timed out waiting for the condition on ${rest[0]}`);
        return this.files.get(rest[0]!.replace('pod/', '')) ? done('condition met\n') : error('not found');
      case 'exec -i':
      case 'exec --stdin':
        return this.exec(rest);
    }
    if (verb === 'delete' && what?.startsWith('job/')) {
      for (const name of [what, ...rest].filter((word) => word.startsWith('job/')))
        if (this.cluster.jobs.has(name.slice(4))) this.cluster.deleteJob(name.slice(4));
      return done();
    }
    return error(`error: unknown command ${[verb, what, ...rest].join(' ')}`);
  }

  private raw({ pathname, searchParams }: URL): Answer {
    if (pathname !== '/api/v1/namespaces/team/pods')
      throw new Refusal(404, 'NotFound', `the server could not find ${pathname}`);
    const labels = searchParams.get('labelSelector') ?? '';
    const fields = searchParams.get('fieldSelector') ?? '';
    const chosen = this.cluster
      .podList()
      .filter(({ pod }) => selects(labels, pod.labels) && selects(fields, { 'status.phase': pod.phase }));
    return json(
      page(
        chosen.map(({ object }) => object),
        searchParams,
      ),
    );
  }

  private configuration([option = `--context=${this.current}`]: readonly string[]): object {
    const context = option.replace('--context=', '');
    return {
      'current-context': context,
      contexts: [{ name: context, context: { namespace: 'team' } }],
      clusters: [{ name: context, cluster: { server: 'https://lab:6443' } }],
    };
  }

  private create(object: object): Answer {
    if ((object as { kind: string }).kind === 'Pod') this.files.create(object);
    else this.cluster.create(object as ReturnType<typeof jobManifest>);
    return done('created\n');
  }

  private exec([pod, container, , ...command]: string[]): Answer {
    // Otherwise it would be the first one, whoever has added it.
    if (container !== '--container=files') throw new Refusal(400, 'BadRequest', 'no container');
    if (!this.files.get(pod!)) throw new Refusal(404, 'NotFound', `pods "${pod}" not found`);
    return { ...done(), exec: command };
  }
}
