import { schemaErrors } from './schema';
import { Refusal } from './simulated-cluster';

interface FilesPod {
  metadata: { name: string };
}

/** Pods that only mount the volume: they run nothing until `kubectl exec`. */
export class FilesPods {
  private readonly pods = new Map<string, FilesPod>();
  /** Why they do not begin, as a kubelet says it. */
  waiting: { reason: string; message: string } | undefined;

  create(object: object): void {
    const pod = object as FilesPod;
    const errors = schemaErrors(object);
    if (errors.length > 0) throw new Refusal(422, 'Invalid', errors.join('; '));
    const { name } = pod.metadata;
    if (this.pods.has(name)) throw new Refusal(409, 'AlreadyExists', `pods "${name}" already exists`);
    this.pods.set(name, pod);
  }

  get(name: string): object | undefined {
    const pod = this.pods.get(name);
    const status = this.waiting
      ? { phase: 'Pending', containerStatuses: [{ name: 'files', state: { waiting: this.waiting } }] }
      : { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    return pod && { ...pod, status };
  }

  delete(name: string): void {
    this.pods.delete(name);
  }
}
