import { createHash } from 'node:crypto';
import { AuroraError } from '../../base/errors';
import { sortedJson } from '../../base/sorted-json';
import type { KubernetesSettings } from '../../experiment/cluster';
import { clusterReason } from '../../protocol/cluster-reasons';
import type { Remote } from '../remote/rsync';
import type { ClusterShell } from '../remote/shell';
import { refused, type Kubectl } from './kubectl';
import type { JobState } from '../cluster/scheduler';
import { requireShape } from './object-shapes';
import { askWarning, words } from './pod-events';
import type { Pod } from './pods';
import { podState } from './pod-states';
import { podMetadata, podSettings, volumeMount } from './manifest';

/** The pod ends after this long, so that none is forgotten; the next look starts another one. */
const LASTS_SECONDS = 4 * 60 * 60;
/** An image of a few GB may have to be pulled first. */
const READY_MS = 300_000;
/** The time between two questions why it is not ready. */
const LOOK_SECONDS = 10;
/** The reason why a pod waits whose settings are wrong. */
const HOPELESS = ['ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'CreateContainerConfigError'];
/** For this long, a pod that was there counts as there. */
const KNOWN_MS = 30_000;
/** The longest time of a shell script that reads many files. */
const SCRIPT_MS = 60_000;

const CONTAINER = 'files';

/** A pod that mounts the volume and waits: files go through it, where this machine does not mount the volume. */
export class VolumePod {
  readonly name: string;
  private knownAt = -Infinity;

  constructor(
    private readonly kubectl: Kubectl,
    private readonly settings: KubernetesSettings,
    private readonly readyMs = READY_MS,
  ) {
    // Settings that differ need another pod; the same ones share it, also from another process.
    const hash = createHash('sha256').update(sortedJson(this.spec())).digest('hex').slice(0, 8);
    this.name = `aurora-files-${hash}`;
  }

  manifest() {
    const labels = { 'app.kubernetes.io/name': 'aurora-lab', 'app.kubernetes.io/component': 'files' };
    const metadata = { name: this.name, ...podMetadata(labels) };
    return { apiVersion: 'v1', kind: 'Pod', metadata, spec: this.spec() };
  }

  /**
   * Starts the pod unless it runs.
   *
   * @throws AuroraError 'network' if it does not start in time, 'experiment' if the cluster refuses it
   */
  async ensure(): Promise<void> {
    if (performance.now() - this.knownAt < KNOWN_MS) return;
    const found = await this.find();
    const isOver =
      found?.metadata.deletionTimestamp !== undefined ||
      /^(Failed|Succeeded)$/.test(found?.status?.phase ?? '');
    if (isOver) await this.remove();
    if (!found || isOver) await this.start();
    await this.untilReady();
    this.knownAt = performance.now();
  }

  /** Scripts run in the pod. */
  shell(): ClusterShell {
    return {
      name: this.name,
      run: async (script, { timeoutMs = SCRIPT_MS, ...options } = {}) => {
        await this.ensure();
        const marked = `(\n${script}\n)\nprintf '\\n%s %s' ${END} "$?"`;
        const args = [...this.exec(), '/bin/sh', '-c', marked];
        const { stdout, stderr } = await this.kubectl.run(args, { timeoutMs, ...options });
        // kubectl may lose the connection without an error, with half of the output.
        const end = ENDED.exec(stdout);
        if (!end) throw this.lost(lastWords(stderr));
        return { code: Number(end[1]), stdout: stdout.slice(0, end.index), stderr };
      },
    };
  }

  /** rsync runs its other side in the pod. */
  remote(): Remote {
    return {
      name: this.name,
      // rsync puts the host before the command: in the pod, this program runs it.
      host: 'env',
      command: async () => {
        await this.ensure();
        return ['kubectl', ...(await this.kubectl.options()), ...this.exec()];
      },
      lost: (reason) => this.lost(reason),
    };
  }

  private exec = (): string[] => ['exec', '--stdin', this.name, `--container=${CONTAINER}`, '--'];

  private lost(reason: string): AuroraError {
    this.knownAt = -Infinity;
    return new AuroraError(
      'network',
      `The pod ${this.name}, through which files go to the volume, cannot be reached: ${reason}.`,
      `See "kubectl describe pod ${this.name}". Files that were copied are not copied again.`,
    );
  }

  private async remove(): Promise<void> {
    await this.kubectl.run(['delete', 'pod', this.name, '--ignore-not-found', '--wait=true']);
  }

  private async start(): Promise<void> {
    const { code, stderr } = await this.kubectl.run(['create', '--filename=-'], {
      input: JSON.stringify(this.manifest()),
    });
    // Another process was faster.
    if (code !== 0 && !stderr.includes('(AlreadyExists)')) throw refused(this.kubectl.name, stderr);
  }

  private async find(): Promise<Pod | undefined> {
    const answer = await this.kubectl.json(['get', 'pod', this.name]);
    return answer === undefined ? undefined : (requireShape(this.kubectl.name, 'a pod', answer) as Pod);
  }

  private async untilReady(): Promise<void> {
    const until = performance.now() + this.readyMs;
    for (;;) {
      const args = ['wait', '--for=condition=Ready', `pod/${this.name}`, `--timeout=${LOOK_SECONDS}s`];
      const { code, stderr } = await this.kubectl.run(args);
      if (code === 0) return;
      if (!stderr.includes('timed out')) throw this.lost(lastWords(stderr));
      const pod = await this.find();
      const said = pod && (await this.explained(podState(pod)));
      const isHopeless = pod?.status?.phase === 'Failed' || HOPELESS.includes(said?.code ?? '');
      if (isHopeless || performance.now() > until)
        throw this.lost((said && clusterReason(said)) ?? lastWords(stderr));
    }
  }

  private async explained(said: Pick<JobState, 'code' | 'detail'>): Promise<typeof said> {
    if (said.code !== 'ContainerCreating') return said;
    const event = await askWarning(this.kubectl)('Pod', this.name);
    return { ...said, ...(event && words(event)) };
  }

  private spec() {
    const { settings } = this;
    return {
      ...podSettings(settings),
      restartPolicy: 'Never',
      activeDeadlineSeconds: LASTS_SECONDS,
      // A first process gets no SIGTERM that it has no handler for, and there is nothing to save.
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: CONTAINER,
          image: settings.image,
          command: ['sleep', String(LASTS_SECONDS)],
          resources: { requests: { cpu: '100m', memory: '256Mi' } },
          ...volumeMount(settings),
        },
      ],
    };
  }
}

/** The mark that ends the output of a script, which is then whole, with its exit code. */
const END = 'aurora-lab-end';
const ENDED = new RegExp(`\\n${END} (\\d+)$`);

const lastWords = (stderr: string): string =>
  stderr.trim().split('\n').at(-1)!.trim().replace(/\.$/, '') || 'the connection was lost';
